import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats
import CircadiaKernels

@Suite struct ModelDirectoryTests {
    /// A Llama of 2 layers that is written in milliseconds.
    static var tiny: JSONObject {
        var object = RandomModel.llama3B
        object["hidden_size"] = .integer(128)
        object["intermediate_size"] = .integer(192)
        object["num_hidden_layers"] = .integer(2)
        object["num_attention_heads"] = .integer(4)
        object["num_key_value_heads"] = .integer(2)
        object["head_dim"] = .integer(32)
        object["vocab_size"] = .integer(50)
        return object
    }

    private func write(
        to url: URL, _ change: (inout RandomModel.Options) -> Void = { _ in }
    ) throws {
        var options = RandomModel.Options()
        change(&options)
        try RandomModel.write(configuration: .object(Self.tiny), to: url, options: options)
    }

    private func rows(_ matrix: WeightMatrix) -> [Float] { FloatBufferReader.rows(matrix) }

    private let up = "model.layers.1.mlp.up_proj"

    @Test(arguments: [nil, 4, 8], [FloatFormat.f32, .f16, .bf16])
    func randomModelsLoadInEveryFormat(bits: Int?, format: FloatFormat) throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url) {
            $0.bits = bits
            $0.scaleFormat = format
        }
        let directory = try ModelDirectory(folder.url, usesPackCache: false)
        let matrix = try directory.weightMatrix(up, rows: 192, columns: 128)
        #expect(matrix.bits == bits ?? 32)
        let values = rows(matrix)
        let mean = values.reduce(0, +) / Float(values.count)
        let deviation =
            (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count))
            .squareRoot()
        // 1/√128 = 0.088; 24 thousand values place both within a few percent.
        #expect(abs(mean) < 0.005)
        #expect(0.08..<0.1 ~= deviation, "\(deviation)")
        let norm = try directory.vector("model.norm.weight", count: 128).array
        #expect(norm.allSatisfy { 0.89...1.11 ~= $0 })
    }

    @Test func weightsDependOnTheSeedAlone() throws {
        let folder = try TemporaryFolder()
        for (name, seed) in [("a", UInt64(1)), ("b", 1), ("c", 2)] {
            try write(to: folder.file(name)) { $0.seed = seed }
        }
        let files = try ["a", "b", "c"].map {
            try Data(contentsOf: folder.file("\($0)/model.safetensors"))
        }
        #expect(files[0] == files[1])
        #expect(files[0] != files[2])
    }

    @Test func shardsGiveTheSameWeights() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.file("one"))
        try write(to: folder.file("many")) { $0.shardByteLimit = 20_000 }
        let names = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("many").path)
        #expect(names.contains("model.safetensors.index.json"))
        #expect(names.filter { $0.hasSuffix(".safetensors") }.count > 3)
        let one = try ModelDirectory(folder.file("one"), usesPackCache: false)
        let many = try ModelDirectory(folder.file("many"), usesPackCache: false)
        #expect(one.tensorNames == many.tensorNames)
        #expect(
            try rows(one.weightMatrix(up, rows: 192, columns: 128))
                == rows(many.weightMatrix(up, rows: 192, columns: 128)))
    }

    @Test func missingShardsAndTensorsAreNamed() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url) { $0.shardByteLimit = 20_000 }
        let index = folder.file("model.safetensors.index.json")
        let shard = try #require(
            try JSONValue(contentsOf: index)["weight_map"]?["model.norm.weight"]?.stringValue)
        try FileManager.default.moveItem(at: folder.file(shard), to: folder.file("aside"))
        #expect(
            message(in: folder) { try ModelDirectory(folder.url) }
                == "\(shard): there is no such file (a shard that model.safetensors.index.json "
                + "names).")
        try SafetensorsWriter.write([("x", .u8, [1], [0])], to: folder.file(shard))
        let text = try String(contentsOf: index, encoding: .utf8)
        // Only the norm stays in that shard's list, so the message does not depend on an order.
        var map = try #require(try JSONValue(contentsOf: index)["weight_map"]?.objectValue)
        for key in map.keys where map[key] == .string(shard) && key != "model.norm.weight" {
            map[key] = nil
        }
        try folder.write(
            index.lastPathComponent, text: JSONValue.object(["weight_map": .object(map)]).text())
        #expect(
            message(in: folder) { try ModelDirectory(folder.url) }
                == "model.safetensors.index.json: tensor model.norm.weight is not in \(shard), "
                + "where the index places it; fetch both files again.")
        try folder.write(
            index.lastPathComponent, text: text.replacingOccurrences(of: shard, with: "../x"))
        #expect(
            message(in: folder) { try ModelDirectory(folder.url) }
                .contains("is \"../x\", expected a file name."))
        try folder.write(index.lastPathComponent, text: "{}")
        #expect(
            message(in: folder) { try ModelDirectory(folder.url) }
                == "model.safetensors.index.json: “weight_map” is missing.")
    }

    @Test func missingWeightsAreNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", text: JSONValue.object(Self.tiny).text())
        #expect(
            message(in: folder) { try ModelDirectory(folder.url) }
                == "model.safetensors: there is no such file (the model's weights).")
    }

    @Test func wrongRequestsNameTensorAndShape() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url)
        let directory = try ModelDirectory(folder.url, usesPackCache: false)
        let file = "model.safetensors: tensor "
        #expect(
            message(in: folder) { try directory.weightMatrix(up, rows: 191, columns: 128) }
                == file + "\(up).weight has shape [192, 16], expected [191, 16].")
        #expect(
            message(in: folder) { try directory.vector("model.norm.weight", count: 64) }
                == file + "model.norm.weight has shape [128], expected [64].")
        #expect(
            message(in: folder) { try directory.weightMatrix("lm_head", rows: 50, columns: 128) }
                == ".: tensor lm_head.weight is missing; the download may be incomplete.")
    }

    /// A model of one matrix, written as the test wants it.
    private func writeMatrix(
        _ folder: TemporaryFolder, quantization: JSONValue,
        _ tensors: [(name: String, type: SafetensorsType, shape: [Int], bytes: [UInt8])]
    ) throws -> ModelDirectory {
        var object = Self.tiny
        object["quantization"] = quantization
        try folder.write("config.json", text: JSONValue.object(object).text())
        try SafetensorsWriter.write(tensors, to: folder.file("model.safetensors"))
        return try ModelDirectory(folder.url, usesPackCache: false)
    }

    @Test func quantisedTensorsAreCheckedAgainstTheConfiguration() throws {
        let folder = try TemporaryFolder()
        let scheme = QuantizationScheme(
            defaultFormat: QuantizationFormat(bits: 4, groupSize: 64),
            exceptions: ["a": .format(QuantizationFormat(bits: 8, groupSize: 64)), "b": .dense])
        func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
        func check(
            _ path: String, _ expected: String,
            _ tensors: [(name: String, type: SafetensorsType, shape: [Int], bytes: [UInt8])]
        ) throws {
            let directory = try writeMatrix(folder, quantization: scheme.json, tensors)
            #expect(
                message(in: folder) { try directory.weightMatrix(path, rows: 2, columns: 64) }
                    == "model.safetensors: tensor \(expected).")
        }
        try check(
            "a",
            "a.weight is stored with 4 bits in groups of 64, but config.json says 8 bits in "
                + "groups of 64",
            [("a.weight", .u32, [2, 8], zeros(64)), ("a.scales", .f16, [2, 1], zeros(4))])
        try check(
            "b",
            "b.weight comes with scales, but config.json says that its module is not quantised",
            [("b.weight", .u32, [2, 8], zeros(64)), ("b.scales", .f16, [2, 1], zeros(4))])
        try check(
            "c",
            "c.weight is quantised to 2 bits in groups of 64; 4 or 8 bits in groups of 32, 64 "
                + "or 128 are supported",
            [("c.weight", .u32, [2, 4], zeros(32)), ("c.scales", .f16, [2, 1], zeros(4))])
        try check(
            "d", "d.weight has dtype I32, expected U32",
            [
                ("d.weight", .i32, [2, 8], zeros(64)), ("d.scales", .f16, [2, 1], zeros(4)),
                ("d.biases", .f16, [2, 1], zeros(4)),
            ])
        try check(
            "e", "e.biases has dtype F32, expected F16",
            [
                ("e.weight", .u32, [2, 8], zeros(64)), ("e.scales", .f16, [2, 1], zeros(4)),
                ("e.biases", .f32, [2, 1], zeros(8)),
            ])
        try check(
            "f", "f.scales has dtype U8, expected F32 or F16 or BF16",
            [
                ("f.weight", .u32, [2, 8], zeros(64)), ("f.scales", .u8, [2, 1], zeros(2)),
                ("f.biases", .u8, [2, 1], zeros(2)),
            ])
        try check(
            "g", "g.weight has dtype U32, expected F32 or F16 or BF16",
            [("g.weight", .u32, [2, 64], zeros(512))])
        let missing = try writeMatrix(
            folder, quantization: scheme.json,
            [("h.weight", .u32, [2, 8], zeros(64)), ("h.scales", .f16, [2, 1], zeros(4))])
        #expect(
            message(in: folder) { try missing.weightMatrix("h", rows: 2, columns: 64) }
                == ".: tensor h.biases is missing; the download may be incomplete.")
        #expect(
            message(in: folder) { try missing.weightMatrix("a", rows: 2, columns: 64) }
                == ".: tensor a.scales is missing, but config.json says that its module is "
                + "quantised to 8 bits in groups of 64.")
    }

    // MARK: The pack cache

    private let cacheName = ".circadia-pack-v\(WeightMatrix.packVersion)"

    /// Packs every quantised matrix and gives all values.
    private func loadAll(_ directory: ModelDirectory) throws -> [String: [Float]] {
        var result: [String: [Float]] = [:]
        func load(_ path: String, _ rowCount: Int, _ columnCount: Int) throws {
            result[path] = rows(
                try directory.weightMatrix(path, rows: rowCount, columns: columnCount))
        }
        try load("model.embed_tokens", 50, 128)
        for layer in 0..<2 {
            let block = "model.layers.\(layer)"
            try load("\(block).self_attn.q_proj", 128, 128)
            try load("\(block).self_attn.k_proj", 64, 128)
            try load("\(block).self_attn.v_proj", 64, 128)
            try load("\(block).self_attn.o_proj", 128, 128)
            try load("\(block).mlp.gate_proj", 192, 128)
            try load("\(block).mlp.up_proj", 192, 128)
            try load("\(block).mlp.down_proj", 128, 192)
        }
        directory.waitForPackCache()
        return result
    }

    @Test func theSecondStartMapsTheSameWeights() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url) { $0.scaleFormat = .f16 }
        let plain = try loadAll(ModelDirectory(folder.url, usesPackCache: false))
        #expect(!folder.names.contains(cacheName))
        let first = try ModelDirectory(folder.url, usesPackCache: true)
        #expect(!first.usesSavedPack)
        #expect(try loadAll(first) == plain)
        #expect(folder.names.contains(cacheName))
        #expect(!folder.names.contains { $0.hasPrefix(".circadia-tmp-") })
        let second = try ModelDirectory(folder.url, usesPackCache: true)
        #expect(second.usesSavedPack)
        #expect(try loadAll(second) == plain)
    }

    @Test func anIncompletePackIsNotSaved() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url)
        do {
            let directory = try ModelDirectory(folder.url, usesPackCache: true)
            _ = try directory.weightMatrix(up, rows: 192, columns: 128)
            directory.waitForPackCache()
        }
        #expect(!folder.names.contains(cacheName))
        #expect(!folder.names.contains { $0.hasPrefix(".circadia-tmp-") })
    }

    @Test func staleAndDamagedPacksAreMadeAgain() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url)
        _ = try loadAll(ModelDirectory(folder.url, usesPackCache: true))
        let whole = Array(try Data(contentsOf: folder.file(cacheName)))
        // Damage in the header or the table, truncation, growth, garbage.
        var damages = [[], Array(whole.dropLast()), whole + [0], [UInt8](repeating: 7, count: 99)]
        for position in [0, 8, 12, 16, 24, 32, 40, 48, 56, whole.count - 20] {
            var damaged = whole
            damaged[position] ^= 1
            damages.append(damaged)
        }
        for damaged in damages {
            try folder.write(cacheName, damaged)
            let directory = try ModelDirectory(folder.url, usesPackCache: true)
            #expect(!directory.usesSavedPack)
        }
        let plain = try loadAll(ModelDirectory(folder.url, usesPackCache: false))
        #expect(try loadAll(ModelDirectory(folder.url, usesPackCache: true)) == plain)
        #expect(try Array(Data(contentsOf: folder.file(cacheName))).count == whole.count)
        // Other weights of the same size.
        try write(to: folder.url) { $0.seed = 9 }
        let changed = try ModelDirectory(folder.url, usesPackCache: true)
        #expect(!changed.usesSavedPack)
        let values = try loadAll(changed)
        #expect(values != plain)
        #expect(try loadAll(ModelDirectory(folder.url, usesPackCache: true)) == values)
    }

    @Test func aDirectoryThatCannotTakeThePackWorksAllTheSame() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url)
        // A directory of the cache's name: the rename fails, as on a read-only file system.
        try FileManager.default.createDirectory(
            at: folder.file(cacheName), withIntermediateDirectories: false)
        let plain = try loadAll(ModelDirectory(folder.url, usesPackCache: false))
        #expect(try loadAll(ModelDirectory(folder.url, usesPackCache: true)) == plain)
        #expect(!folder.names.contains { $0.hasPrefix(".circadia-tmp-") })
    }

    @Test func strayTemporaryFilesAreRemoved() throws {
        let folder = try TemporaryFolder()
        try write(to: folder.url)
        // Process numbers end far below this one.
        try folder.write(".circadia-tmp-\(cacheName)-2147480000-abc", [1])
        try folder.write(".circadia-tmp-\(cacheName)-\(getpid())-abc", [1])
        _ = try loadAll(ModelDirectory(folder.url, usesPackCache: true))
        let strays = folder.names.filter { $0.hasPrefix(".circadia-tmp-") }
        #expect(strays == [".circadia-tmp-\(cacheName)-\(getpid())-abc"])
    }
}

enum FloatBufferReader {
    /// Every row of a matrix as the kernels see it.
    static func rows(_ matrix: WeightMatrix) -> [Float] {
        let out = FloatBuffer(count: matrix.rows * matrix.columns)
        matrix.embed((0..<Int32(matrix.rows)).map { $0 }, into: out.pointer)
        return out.array
    }
}
