import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats

@Suite struct ModelConfigurationTests {
    private func read(_ object: JSONObject) throws(FormatError) -> ModelConfiguration {
        try ModelConfiguration(json: .object(object), path: "config.json")
    }

    @Test func llama3BIsRead() throws {
        let configuration = try read(RandomModel.llama3B)
        #expect(configuration.hiddenSize == 3072)
        #expect(configuration.headDim == 128)
        #expect(configuration.kvHeadCount == 8)
        #expect(configuration.ropeTheta == 500_000)
        #expect(
            configuration.ropeScaling
                == RopeScaling(
                    factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4,
                    originalContextLength: 8192))
        #expect(configuration.endOfSequenceIDs == [128_001, 128_008, 128_009])
        #expect(configuration.quantization == nil)
    }

    @Test func absentKeysHaveThePeersDefaults() throws {
        let configuration = try read([
            "model_type": .string("llama"), "hidden_size": .integer(64),
            "intermediate_size": .integer(96), "num_hidden_layers": .integer(2),
            "num_attention_heads": .integer(4), "vocab_size": .integer(10),
            "rms_norm_eps": .number(1e-6), "head_dim": .null, "rope_scaling": .null,
        ])
        #expect(configuration.headDim == 16)
        #expect(configuration.kvHeadCount == 4)
        #expect(configuration.ropeTheta == 10_000)
        #expect(configuration.tiesWordEmbeddings)
    }

    @Test func newerRopeParametersAreRead() throws {
        var object = RandomModel.llama3B
        let scaling = object["rope_scaling"]?.objectValue
        object["rope_scaling"] = nil
        object["rope_theta"] = nil
        var parameters = scaling ?? JSONObject()
        parameters["rope_theta"] = .number(500_000)
        object["rope_parameters"] = .object(parameters)
        #expect(try read(object) == (try read(RandomModel.llama3B)))
    }

    @Test func quantizationHasExceptions() throws {
        var object = RandomModel.llama3B
        object["quantization"] = .object([
            "group_size": .integer(64), "bits": .integer(4), "mode": .string("affine"),
            "model.embed_tokens": .object(["group_size": .integer(32), "bits": .integer(8)]),
            "lm_head": .bool(false),
        ])
        let scheme = try read(object).quantization
        #expect(scheme?.defaultFormat == QuantizationFormat(bits: 4, groupSize: 64))
        #expect(
            scheme?.exceptions == [
                "model.embed_tokens": .format(QuantizationFormat(bits: 8, groupSize: 32)),
                "lm_head": .dense,
            ])
    }

    @Test(arguments: [
        (
            "model_type", JSONValue.string("qwen3"),
            "the architecture “qwen3” (model_type) is not supported; “llama” is"
        ),
        ("model_type", .integer(3), "“model_type” is missing"),
        (
            "hidden_size", .string("3072"),
            "“hidden_size” is \"3072\", expected an integer from 1 to 16777216"
        ),
        (
            "num_hidden_layers", .integer(0),
            "“num_hidden_layers” is 0, expected an integer from 1 to 4096"
        ),
        (
            "num_key_value_heads", .integer(5),
            "“num_key_value_heads” is 5, expected a divisor of num_attention_heads (24)"
        ),
        ("head_dim", .integer(127), "“head_dim” is 127, expected an even number"),
        (
            "rms_norm_eps", .string("x"),
            "“rms_norm_eps” is \"x\", expected a number from 0.0 to 1.0"
        ),
        ("tie_word_embeddings", .integer(1), "“tie_word_embeddings” is 1, expected true or false"),
        ("attention_bias", .bool(true), "“attention_bias”: true is not supported"),
        ("hidden_act", .string("gelu"), "“hidden_act”: gelu is not supported"),
        (
            "rope_scaling", .object(["type": .string("yarn")]),
            "rotary scaling of type “yarn” is not supported; “llama3” is"
        ),
        (
            "rope_scaling", .object(["rope_type": .string("llama3")]),
            "“rope_scaling.factor” is missing"
        ),
        ("quantization", .integer(4), "“quantization” is 4, expected an object"),
        ("quantization", .object(["bits": .integer(4)]), "“quantization.group_size” is missing"),
        (
            "quantization", .object(["bits": .integer(3), "group_size": .integer(64)]),
            "3-bit weights (of quantization) are not supported; 4 and 8 bits are"
        ),
        (
            "quantization", .object(["bits": .integer(4), "group_size": .integer(16)]),
            "the group size 16 (of quantization) is not supported; 32, 64 and 128 are"
        ),
        (
            "quantization",
            .object(["bits": .integer(4), "group_size": .integer(32), "mode": .string("mxfp4")]),
            "the quantisation mode “mxfp4” (of quantization) is not supported; “affine” is"
        ),
        (
            "quantization_config", .object(["quant_method": .string("awq")]),
            "the quantisation mode “awq” (of quantization) is not supported; “affine” is"
        ),
    ])
    func badValuesAreNamed(key: String, value: JSONValue, problem: String) {
        var object = RandomModel.llama3B
        object[key] = value
        do throws(FormatError) {
            _ = try read(object)
            Issue.record("no error for \(key)")
        } catch {
            #expect("\(error)" == "config.json: \(problem).")
        }
    }

    @Test func missingAndGarbledFilesAreNamed() throws {
        let folder = try TemporaryFolder()
        #expect(
            message(in: folder) { try ModelConfiguration(directory: folder.url) }
                == "config.json: there is no such file (the model's configuration).")
        try folder.write("config.json", text: "{\"model_type\": llama}")
        #expect(
            message(in: folder) { try ModelConfiguration(directory: folder.url) }
                == "config.json: not valid JSON at byte 15: “l” cannot stand here.")
        try folder.write("config.json", text: "[1]")
        #expect(
            message(in: folder) { try ModelConfiguration(directory: folder.url) }
                == "config.json: the configuration is not a JSON object.")
    }

    @Test func generationConfigurationOverridesTheEnd() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.json", text: JSONValue.object(RandomModel.llama3B).text())
        try folder.write("generation_config.json", text: "{\"eos_token_id\": [7, 8]}")
        #expect(try ModelConfiguration(directory: folder.url).endOfSequenceIDs == [7, 8])
    }
}
