import CircadiaFiles
import CircadiaKernels
import Foundation

/// A LoRA adapter in a GGUF file, for llama.cpp's `--lora`.
///
/// Tensors are named `blk.3.attn_q.weight.lora_a` `[rank, in]` and `….lora_b` `[out, rank]`; the
/// scale is `adapter.lora.alpha` / rank. The rows of q's and k's `lora_b` are interleaved like
/// those of the matrices. Format: github.com/ggml-org/llama.cpp, `convert_lora_to_gguf.py` and
/// `src/llama-adapter.cpp`.
package enum GGUFAdapter {
    /// GGUF's names of the modules.
    private static let names = [
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    ]

    /// Reads an adapter into MLX's form.
    ///
    /// - Throws: `FormatError.gguf` for a broken file, `.adapter` for one that does not fit, or
    ///   `FileError.unreadable`.
    package static func read(
        _ url: URL, for model: ModelConfiguration
    ) throws -> (AdapterConfiguration, [String: AdapterTensor]) {
        let file = try GGUFFile(path: url)
        let modules: [AdapterModule]
        do throws(AdapterProblem) {
            modules = try Self.modules(of: file, model: model)
        } catch {
            throw FormatError.adapter(path: url.path, problem: error)
        }
        let (configuration, tensors) = AdapterModule.unified(
            modules, layerCount: model.layerCount, dropout: 0,
            otherMembers: ["circadia": .object(["imported_from": .string("gguf")])])
        try AdapterDirectory.check(configuration, tensors, for: model, path: url.path)
        return (configuration, tensors)
    }

    /// Writes an MLX adapter as a GGUF file.
    ///
    /// - Parameters:
    ///   - configuration: the adapter's configuration.
    ///   - tensors: the tensors by full names.
    ///   - model: the adapter's base model; its heads decide how q and k are interleaved.
    ///   - url: the file; replaced if it exists.
    /// - Throws: `FormatError.adapter` with `.notExpressible` for DoRA, or `FileError.unwritable`.
    package static func write(
        _ configuration: AdapterConfiguration, _ tensors: [String: AdapterTensor],
        for model: ModelConfiguration, to url: URL
    ) throws {
        guard configuration.kind == .lora else {
            throw FormatError.adapter(
                path: url.path, problem: .notExpressible(kind: "DoRA", format: "GGUF"))
        }
        var stored: [(name: String, tensor: AdapterTensor)] = []
        for module in AdapterModule.modules(of: configuration, tensors) {
            guard let name = names[module.path] else { continue }
            let headDim = model.headDim
            let turned = module.b.transposed
            let b =
                isInterleaved(module.path)
                ? turned.rows { halfSplitRow(ofInterleaved: $0, headDim: headDim) } : turned
            stored.append(("blk.\(module.layer).\(name).weight.lora_a", module.a.transposed))
            stored.append(("blk.\(module.layer).\(name).weight.lora_b", b))
        }
        let parameters = configuration.loraParameters
        let bytes = GGUFWriter.bytes(
            metadata: [
                ("general.architecture", .string("llama")), ("general.type", .string("adapter")),
                ("adapter.type", .string("lora")),
                ("adapter.lora.alpha", .float(Float(parameters.scale * Double(parameters.rank)))),
            ], tensors: stored)
        try Folder.create(url.deletingLastPathComponent(), mode: 0o755)
        try DurableFile.replace(url, with: bytes)
    }

    private static func modules(
        of file: GGUFFile, model: ModelConfiguration
    ) throws(AdapterProblem) -> [AdapterModule] {
        let type = file.metadata["general.type"]?.stringValue ?? "model"
        guard type == "adapter" else { throw .notAnAdapter(found: "a \(type)") }
        let kind = file.metadata["adapter.type"]?.stringValue ?? "of no type"
        guard kind == "lora" else { throw .notAnAdapter(found: "an adapter “\(kind)”") }
        let architecture = file.metadata["general.architecture"]?.stringValue ?? "none"
        guard architecture == "llama" else {
            throw .notAnAdapter(found: "an adapter for the architecture “\(architecture)”")
        }
        let alpha = file.metadata["adapter.lora.alpha"]?.doubleValue ?? 0
        var modules: [AdapterModule] = []
        var used = 0
        for layer in 0..<model.layerCount {
            for path in AdapterTensorName.modules {
                let name = "blk.\(layer).\(names[path] ?? "").weight"
                let found = [".lora_a", ".lora_b"].map { file.tensor(name + $0) }
                guard let first = found[0] ?? found[1] else { continue }
                guard let a = found[0], let b = found[1] else {
                    let missing = found[0] == nil ? ".lora_a" : ".lora_b"
                    throw .missingPartner(tensor: first.name, partner: name + missing)
                }
                used += 2
                modules.append(
                    try module(layer, path, try floats(a, file), try floats(b, file), alpha, model))
            }
        }
        if used < file.tensors.count {
            let known = Set(modules.map { "blk.\($0.layer).\(names[$0.path] ?? "").weight" })
            let extra = file.tensors.first { tensor in
                !known.contains { tensor.name == $0 + ".lora_a" || tensor.name == $0 + ".lora_b" }
            }
            throw .unknownTensor(extra?.name ?? "")
        }
        if modules.isEmpty { throw .empty }
        return modules
    }

    private static func module(
        _ layer: Int, _ path: String, _ a: AdapterTensor, _ b: AdapterTensor, _ alpha: Double,
        _ model: ModelConfiguration
    ) throws(AdapterProblem) -> AdapterModule {
        let name = AdapterTensorName(layer: layer, module: path, factor: .b).fullName
        guard a.shape[0] == b.shape[1] else {
            throw .wrongShape(
                tensor: name, expected: [b.shape[0], a.shape[0]], found: b.shape)
        }
        var b = b
        if isInterleaved(path) {
            let headDim = model.headDim
            guard b.shape[0].isMultiple(of: headDim) else {
                throw .wrongShape(
                    tensor: name, expected: [model.hiddenSize, b.shape[1]], found: b.shape)
            }
            b = b.rows { interleavedRow(ofHalfSplit: $0, headDim: headDim) }
        }
        // llama.cpp treats an alpha of 0 as a scale of 1.
        return AdapterModule(
            layer: layer, path: path, a: a.transposed, b: b.transposed,
            scale: alpha == 0 ? 1 : alpha / Double(a.shape[0]))
    }

    private static func floats(
        _ tensor: GGUFTensor, _ file: GGUFFile
    ) throws(AdapterProblem) -> AdapterTensor {
        guard tensor.shape.count == 2, !tensor.type.isQuantized else {
            throw .unsupportedSetting(
                key: tensor.name,
                value: "type \(GGUFTensorType.name(of: tensor.type.rawValue)), \(tensor.shape)")
        }
        let bytes = file.bytes(of: tensor)
        defer { withExtendedLifetime(file) {} }
        let values = (0..<tensor.shape[0] * tensor.shape[1]).map { index -> Float in
            func half() -> UInt16 {
                UInt16(
                    littleEndian: bytes.loadUnaligned(
                        fromByteOffset: 2 * index, as: UInt16.self))
            }
            return switch tensor.type {
            case .f16: HalfPrecision.float(half: half())
            case .bf16: HalfPrecision.float(bfloat: half())
            default: bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
            }
        }
        return AdapterTensor(shape: tensor.shape, values: values)
    }

    private static func isInterleaved(_ path: String) -> Bool {
        path == "self_attn.q_proj" || path == "self_attn.k_proj"
    }

    /// The row of llama.cpp's order: it turns `[heads, 2, headDim/2]` into `[heads, headDim/2, 2]`.
    private static func interleavedRow(ofHalfSplit row: Int, headDim: Int) -> Int {
        let (head, inner) = row.quotientAndRemainder(dividingBy: headDim)
        let (half, pair) = inner.quotientAndRemainder(dividingBy: headDim / 2)
        return head * headDim + 2 * pair + half
    }

    private static func halfSplitRow(ofInterleaved row: Int, headDim: Int) -> Int {
        let (head, inner) = row.quotientAndRemainder(dividingBy: headDim)
        let (pair, half) = inner.quotientAndRemainder(dividingBy: 2)
        return head * headDim + half * headDim / 2 + pair
    }
}
