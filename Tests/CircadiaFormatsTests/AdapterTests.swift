import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats
import CircadiaKernels

@Suite struct AdapterTests {
    private let configuration = AdapterConfiguration(
        numLayers: 1, loraParameters: .init(rank: 4, scale: 20))

    private func model() throws -> ModelConfiguration {
        try ModelConfiguration(json: .object(ModelDirectoryTests.tiny), path: "config.json")
    }

    /// An adapter of one module of the last block, filled with one number.
    private func tensors(_ value: Float = 0.5) -> [String: AdapterTensor] {
        [
            "model.layers.1.self_attn.k_proj.lora_a": AdapterTensor(
                shape: [128, 4], values: [Float](repeating: value, count: 512)),
            "model.layers.1.self_attn.k_proj.lora_b": AdapterTensor(
                shape: [4, 64], values: [Float](repeating: value, count: 256)),
        ]
    }

    @Test func whatIsSavedIsLoaded() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("adapters/nightly_update")
        #expect(!AdapterDirectory.isPresent(at: url))
        try AdapterDirectory.save(
            configuration, tensors(), for: model(), attachments: ["night.json": [0x7B, 0x7D]],
            to: url)
        #expect(AdapterDirectory.isPresent(at: url))
        let (loaded, values) = try AdapterDirectory.load(url, for: model())
        #expect(loaded == configuration)
        #expect(values == tensors())
        let names = try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
        #expect(names == ["adapter_config.json", "adapters.safetensors", "night.json"])
        for name in names {
            let path = url.appendingPathComponent(name).path
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions]
        #expect(mode as? Int == 0o700)
    }

    @Test func aSecondSaveReplacesBothFilesAndKeepsOthers() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a")
        try AdapterDirectory.save(configuration, tensors(1), to: url)
        try folder.write("a/notes.txt", text: "mine")
        var other = configuration
        other.loraParameters.scale = 10
        try AdapterDirectory.save(other, tensors(2), to: url)
        let (loaded, values) = try AdapterDirectory.load(url)
        #expect(loaded.loraParameters.scale == 10)
        #expect(values == tensors(2))
        #expect(try String(contentsOf: folder.file("a/notes.txt"), encoding: .utf8) == "mine")
        #expect(folder.names == ["a"])
    }

    @Test func aLinkStaysALink() throws {
        let folder = try TemporaryFolder()
        try AdapterDirectory.save(configuration, tensors(1), to: folder.file("versions/1"))
        try FileManager.default.createSymbolicLink(
            at: folder.file("current"), withDestinationURL: folder.file("versions/1"))
        try AdapterDirectory.save(configuration, tensors(2), to: folder.file("current"))
        #expect(try AdapterDirectory.load(folder.file("versions/1")).1 == tensors(2))
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("current").path)
                .hasSuffix("versions/1"))
    }

    @Test func unknownKeysAreKept() throws {
        let text = """
            {"fine_tune_type": "lora", "model": "m", "num_layers": -1, "data": {"x": [1, 2.5]},
             "lora_parameters": {"rank": 4, "alpha": 3, "scale": 20.0, "dropout": 0.1,
                                 "keys": ["self_attn.k_proj"]}}
            """
        let folder = try TemporaryFolder()
        let url = try folder.write("adapter_config.json", text: text)
        let json = try JSONValue(contentsOf: url)
        let read = try AdapterConfiguration(json: json, path: "adapter_config.json")
        #expect(read.loraParameters.keys == ["self_attn.k_proj"])
        #expect(read.loraParameters.otherMembers == ["alpha": .integer(3)])
        #expect(read.adaptedLayers(of: 30) == 0..<30)
        var expected = try #require(json.objectValue)
        var parameters = try #require(expected["lora_parameters"]?.objectValue)
        parameters["scale"] = .number(20)
        expected["lora_parameters"] = .object(parameters)
        #expect(read.json == .object(expected))
        let coded = try JSONDecoder().decode(
            AdapterConfiguration.self, from: try JSONEncoder().encode(read))
        #expect(coded.loraParameters == read.loraParameters)
        #expect(coded.numLayers == -1)
    }

    @Test func wrongTensorsAreNamed() throws {
        let folder = try TemporaryFolder()
        let a = "model.layers.1.self_attn.k_proj.lora_a"
        let b = "model.layers.1.self_attn.k_proj.lora_b"
        func check(
            _ expected: String, _ change: (inout [String: AdapterTensor]) -> Void
        ) throws {
            var tensors = tensors()
            change(&tensors)
            #expect(
                message(in: folder) {
                    try AdapterDirectory.save(
                        configuration, tensors, for: model(), to: folder.file("a"))
                } == "a: not a usable adapter: \(expected).")
            #expect(folder.names.isEmpty)
        }
        try check("it holds no tensors") { $0 = [:] }
        try check("tensor \(a) comes without \(b)") { $0[b] = nil }
        try check("tensor model.norm.lora_a is not a LoRA tensor that this program knows") {
            $0["model.norm.lora_a"] = $0[a]
        }
        try check(
            "tensor \(b) has shape [4, 128], expected [4, 64]; the adapter may belong to another "
                + "model"
        ) { $0[b] = AdapterTensor(shape: [4, 128], values: [Float](repeating: 0, count: 512)) }
        try check(
            "tensor \(a) has shape [64, 8], expected [128, 4]; the adapter may belong to another "
                + "model"
        ) { $0[a] = AdapterTensor(shape: [64, 8], values: [Float](repeating: 0, count: 512)) }
        try check(
            "tensor \(b) has shape [8, 64], expected [4, 64]; the adapter may belong to another "
                + "model"
        ) { $0[b] = AdapterTensor(shape: [8, 64], values: [Float](repeating: 0, count: 512)) }
        try check("tensor \(a) holds values that are not finite") {
            $0[a]?.values[3] = .nan
        }
        try check(
            "tensor model.layers.0.mlp.up_proj.lora_a lies outside the adapted layers 1..<2; the "
                + "adapter may belong to another model"
        ) { $0["model.layers.0.mlp.up_proj.lora_a"] = $0[a] }
        try check(
            "tensor model.layers.01.mlp.up_proj.lora_a is not a LoRA tensor that this program knows"
        ) {
            $0["model.layers.01.mlp.up_proj.lora_a"] = $0[a]
        }
    }

    @Test func brokenDirectoriesAreNamed() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a")
        func check(_ expected: String) {
            #expect(
                message(in: folder) { try AdapterDirectory.load(url, for: model()) } == expected)
        }
        check("a: not a usable adapter: adapter_config.json is missing.")
        try AdapterDirectory.save(configuration, tensors(), to: url)
        try FileManager.default.removeItem(at: folder.file("a/adapters.safetensors"))
        #expect(!AdapterDirectory.isPresent(at: url))
        check("a: not a usable adapter: adapters.safetensors is missing.")
        try folder.write("a/adapters.safetensors", [0, 0])
        check(
            "a/adapters.safetensors: not a valid safetensors file: it has 2 bytes, fewer than the 8 "
                + "that give the header's length; fetch the file again.")
        try folder.write("a/adapter_config.json", text: "{\"fine_tune_type\": \"full\"}")
        check(
            "a/adapter_config.json: fine-tuning of type “full” is not supported; “lora” and “dora” "
                + "are.")
        try folder.write("a/adapter_config.json", text: "{\"num_layers\": 1}")
        check("a/adapter_config.json: “lora_parameters” is missing.")
        try folder.write(
            "a/adapter_config.json", text: "{\"num_layers\": 1, \"lora_parameters\": {\"rank\": 4}}"
        )
        check("a/adapter_config.json: “lora_parameters.scale” is missing.")
        try folder.write("a/adapter_config.json", text: "{")
        check(
            "a/adapter_config.json: not valid JSON at byte 1: the text ends inside a value.")
    }

    @Test("The difference of two adapters is that of their products, whatever their ranks")
    func difference() throws {
        func adapter(
            rank: Int, scale: Double, _ a: [Float], _ b: [Float]
        ) -> (AdapterConfiguration, [String: AdapterTensor]) {
            let name = "model.layers.0.self_attn.q_proj"
            return (
                AdapterConfiguration(
                    numLayers: 1, loraParameters: .init(rank: rank, scale: scale)),
                [
                    "\(name).lora_a": AdapterTensor(shape: [2, rank], values: a),
                    "\(name).lora_b": AdapterTensor(shape: [rank, 2], values: b),
                ]
            )
        }
        // 2 · [1 0]ᵀ[3 4] = [[6 8] [0 0]], and [[6 0] [0 1]] in rank 2.
        let first = adapter(rank: 1, scale: 2, [1, 0], [3, 4])
        let second = adapter(rank: 2, scale: 1, [1, 0, 0, 1], [6, 0, 0, 1])
        let difference = AdapterDifference(from: first, to: second)
        #expect(abs(difference.normFrom - 10) < 1e-12)
        #expect(abs(difference.normTo - 37.squareRoot()) < 1e-12)
        #expect(abs(difference.normDifference - 65.squareRoot()) < 1e-12)
        #expect(abs(difference.cosine - 36 / (10 * 37.squareRoot())) < 1e-12)
        #expect(difference.modules.map(\.key) == ["self_attn.q_proj"])
        #expect(AdapterDifference(from: first, to: first).normDifference == 0)
    }

    @Test func aDirectoryOfOtherThingsIsNotReplaced() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.file("home/pictures"), withIntermediateDirectories: true)
        #expect(
            message(in: folder) {
                try AdapterDirectory.save(configuration, tensors(), to: folder.file("home"))
            }
                == "home: not a usable adapter: the directory holds another directory, pictures, so "
                + "it is not replaced; choose a directory of its own for the adapter.")
        #expect(FileManager.default.fileExists(atPath: folder.file("home/pictures").path))
        #expect(folder.names == ["home"])
    }

    @Test func whatKilledSavesLeaveIsCleaned() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a")
        try AdapterDirectory.save(configuration, tensors(1), to: url)
        // A half-built directory of a process that no longer runs, one of this process, and one of
        // another adapter.
        let dead = ".circadia-tmp-a-2147480000-x1"
        let alive = ".circadia-tmp-a-\(getpid())-x2"
        let other = ".circadia-tmp-b-2147480000-x3"
        for name in [dead, alive, other] {
            try FileManager.default.createDirectory(
                at: folder.file(name), withIntermediateDirectories: false)
            try folder.write("\(name)/adapters.safetensors", [1, 2, 3])
        }
        #expect(try AdapterDirectory.load(url).1 == tensors(1))
        try AdapterDirectory.save(configuration, tensors(2), to: url)
        #expect(folder.names == [alive, other, "a"].sorted())
        #expect(try AdapterDirectory.load(url).1 == tensors(2))
    }

    @Test func aSaveKilledBetweenTwoRenamesIsRecovered() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a")
        try AdapterDirectory.save(configuration, tensors(1), to: url)
        // What is left where directories cannot be exchanged and the process dies half-way.
        try FileManager.default.moveItem(at: url, to: folder.file(".circadia-old-a"))
        #expect(AdapterDirectory.isPresent(at: url))
        #expect(try AdapterDirectory.load(url).1 == tensors(1))
        #expect(folder.names == ["a"])
    }
}
