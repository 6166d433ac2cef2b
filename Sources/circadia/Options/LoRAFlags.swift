import ArgumentParser
import CircadiaFormats

/// Settings of a new adapter, for a night and for `bench`. A night that trains an existing adapter
/// further keeps that adapter's settings.
struct LoRAFlags: ParsableArguments {
    @Option(help: "Rank of the LoRA matrices, 1 to 256.")
    var loraR = 8

    @Option(help: "Scale of the LoRA product (MLX's scale, not alpha/r). (default: 20)")
    var loraScale: Float?

    @Option(help: "The scale as PEFT counts it: scale times rank. Use instead of --lora-scale.")
    var loraAlpha: Float?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Blocks to adapt, counted from the last; -1 or all means all. (default: all; 16 in bench)",
            valueName: "n|all"),
        transform: LoRAFlags.layers)
    var loraLayers: Int?

    @Option(
        help: ArgumentHelp(
            "Matrices of each block to adapt, such as q_proj,v_proj. (default: all seven)",
            valueName: "names"),
        transform: LoRAFlags.keys)
    var loraKeys: [String]?

    @Flag(help: "Train a DoRA adapter: the magnitude of each output row as well.")
    var dora = false

    /// The matrices to adapt; nil for all.
    var keys: [String]? {
        loraKeys?.count == AdapterTensorName.modules.count ? nil : loraKeys
    }

    /// The scale, from `--lora-scale` or `--lora-alpha`.
    var scale: Float { loraScale ?? loraAlpha.map { $0 / Float(loraR) } ?? 20 }

    func validate() throws {
        if !(1...256).contains(loraR) { throw ValidationError("--lora-r must be 1 to 256") }
        if loraScale != nil, loraAlpha != nil {
            throw ValidationError(
                "--lora-scale and --lora-alpha set the same value (alpha = scale · rank); give one")
        }
        for (name, value) in [("--lora-scale", loraScale), ("--lora-alpha", loraAlpha)] {
            guard let value else { continue }
            if !(value > 0 && value.isFinite) { throw ValidationError("\(name) must be positive") }
        }
    }

    /// A number of blocks; -1 for all.
    private static func layers(_ text: String) throws -> Int {
        if text == "all" { return -1 }
        guard let count = Int(text), count == -1 || count >= 1 else {
            throw ValidationError("--lora-layers must be at least 1, or -1 or all for all")
        }
        return count
    }

    /// Module paths for names with or without their first part, such as `self_attn.q_proj`.
    private static func keys(_ text: String) throws -> [String] {
        var chosen: Set<String> = []
        for name in text.split(separator: ",").map({ $0.filter { $0 != " " } }) {
            guard
                let path = AdapterTensorName.modules.first(where: {
                    $0 == name || $0.hasSuffix(".\(name)")
                })
            else {
                let names = AdapterTensorName.modules.map { $0.split(separator: ".")[1] }
                throw ValidationError(
                    "--lora-keys: unknown matrix “\(name)”; choose from "
                        + names.joined(separator: ", "))
            }
            chosen.insert(path)
        }
        if chosen.isEmpty { throw ValidationError("--lora-keys must name at least one matrix") }
        return AdapterTensorName.modules.filter(chosen.contains)
    }
}
