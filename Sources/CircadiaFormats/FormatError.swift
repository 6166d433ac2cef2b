/// Errors of reading and writing model files.
///
/// Every case names the file. The wording is in `FormatError+Description.swift`.
package enum FormatError: Error, Sendable, Equatable {
    /// A safetensors file breaks its format.
    case safetensors(path: String, problem: SafetensorsProblem)
    /// A tensor is missing or unsuitable for its user.
    case tensor(path: String, name: String, problem: TensorProblem)
    /// `config.json` (or `adapter_config.json`) lacks a value or holds one that is not supported.
    case configuration(path: String, problem: ConfigurationProblem)
    /// A GGUF file breaks its format or cannot be imported.
    case gguf(path: String, problem: GGUFProblem)
    /// An adapter does not fit its configuration or the model.
    case adapter(path: String, problem: AdapterProblem)
    /// A model could not be found, downloaded or checked.
    case store(StoreProblem)
}

/// How a file breaks the safetensors format.
package enum SafetensorsProblem: Sendable, Equatable {
    /// The file is shorter than the 8 bytes that give the header's length.
    case tooShort(byteCount: Int)
    /// The header's length points past the end of the file or beyond the format's limit.
    case badHeaderLength(length: UInt64, fileByteCount: Int)
    /// The header is not a JSON object of tensors.
    case headerNotAnObject
    /// A tensor's header entry lacks `dtype`, `shape` or `data_offsets`, or one has a wrong type.
    case badEntry(tensor: String, field: String)
    /// The dtype is not one of the format.
    case unknownType(tensor: String, type: String)
    /// A tensor's bytes lie outside the file.
    case rangeOutsideFile(tensor: String, start: Int, end: Int, dataByteCount: Int)
    /// A tensor's byte count differs from what its shape and dtype need.
    case wrongByteCount(tensor: String, expected: Int, found: Int)
    /// Two tensors share bytes.
    case overlap(first: String, second: String)
    /// The tensors leave `count` bytes uncovered from `start`, counted from the start of the data.
    case gap(start: Int, count: Int)
}

/// Problems of one tensor for its user.
package enum TensorProblem: Sendable, Equatable {
    /// No file of the model holds it.
    case missing
    /// Its shape is not the expected one.
    case wrongShape(expected: [Int], found: [Int])
    /// The configuration says that the module is quantised, but the file has no scales for it.
    case missingScales(bits: Int, groupSize: Int)
    /// Its dtype is not one of those accepted.
    case wrongType(expected: [String], found: String)
    /// Its shapes fit no supported quantisation.
    case unsupportedQuantization(bits: Int, groupSize: Int)
    /// The configuration and the stored shapes disagree.
    case quantizationMismatch(
        configuredBits: Int, configuredGroupSize: Int, foundBits: Int, foundGroupSize: Int)
    /// The configuration says that the module is not quantised, but the file has scales for it.
    case unexpectedScales
    /// The index places it in a file that does not contain it.
    case notInShard(String)
}

/// Problems of a configuration file.
package enum ConfigurationProblem: Sendable, Equatable {
    /// The file is JSON, but not an object.
    case notAnObject
    /// A required key is absent.
    case missingKey(String)
    /// A key holds a value of the wrong type or outside the sensible range.
    case badValue(key: String, expected: String, found: String)
    /// `model_type` names an architecture that this program does not implement.
    case unknownArchitecture(String)
    /// A quantisation mode other than `affine`.
    case unknownQuantizationMode(module: String, mode: String)
    /// No kernel supports this number of bits.
    case unsupportedBits(module: String, bits: Int)
    /// No kernel supports this group size.
    case unsupportedGroupSize(module: String, groupSize: Int)
    /// A `rope_scaling` type that is not implemented.
    case unknownRopeScaling(String)
    /// A feature of the architecture that is not implemented, such as biased projections.
    case unsupportedFeature(key: String, value: String)
    /// A kind of fine-tuning other than `lora` and `dora`.
    case unknownFineTuneType(String)
}

/// Problems of a GGUF file: it breaks its format or cannot be imported.
package enum GGUFProblem: Sendable, Equatable {
    /// The first four bytes are not `GGUF`.
    case notGGUF
    /// A version other than 2 and 3.
    case unknownVersion(UInt32)
    /// The file ends inside the item at `offset`.
    case truncated(offset: Int, item: String)
    /// A count or length is larger than the file can hold.
    case implausibleCount(offset: Int, item: String, count: UInt64)
    /// A string is not UTF-8.
    case badString(offset: Int)
    /// A metadata type is not one of the format.
    case unknownValueType(key: String, type: UInt32)
    /// A required metadata key is absent or has another type.
    case missingMetadata(key: String, expected: String)
    /// Metadata contradict other metadata.
    case inconsistentMetadata(key: String, expected: String, found: String)
    /// `general.architecture` is not `llama`.
    case unknownArchitecture(String)
    /// A tensor type cannot be imported without loss.
    case unsupportedTensorType(tensor: String, type: String)
    /// A Llama has no tensor of this name.
    case unknownTensor(String)
    /// A tensor that a Llama needs is absent.
    case missingTensor(String)
    /// A tensor's shape differs from what the metadata say.
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    /// A tensor's data lies outside the file.
    case tensorOutsideFile(tensor: String, end: Int, fileByteCount: Int)
    /// A tokenizer model or pre-tokenizer has no known translation.
    case unsupportedTokenizer(key: String, value: String)
    /// Rotary factors are not those of Llama 3.
    case unknownRopeFactors
}

/// Problems of an adapter.
package enum AdapterProblem: Sendable, Equatable {
    /// One of the two files of an adapter is absent.
    case incomplete(missing: String)
    /// The tensor name is not one of this project or of mlx_lm.
    case unknownTensor(String)
    /// `lora_a` without `lora_b` or the other way round.
    case missingPartner(tensor: String, partner: String)
    /// A tensor's rank or width is not the expected one.
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    /// A tensor contains NaN or infinity.
    case notFinite(tensor: String)
    /// The adapter has a layer that the model lacks or that `num_layers` leaves out.
    case layerOutOfRange(tensor: String, first: Int, layerCount: Int)
    /// The adapter has no tensors.
    case empty
    /// The path contains no adapter in a known format.
    case unknownFormat
    /// The weights are a Python pickle, which would run code when read.
    case pickle(file: String)
    /// A setting of a PEFT adapter has no counterpart here.
    case unsupportedSetting(key: String, value: String)
    /// A GGUF file is not a LoRA adapter.
    case notAnAdapter(found: String)
    /// A format cannot express this kind of adapter.
    case notExpressible(kind: String, format: String)
}

/// Why a model could not be found or downloaded.
package enum StoreProblem: Sendable, Equatable {
    /// The name is neither a directory nor an installed model. `canPull` says whether it can be
    /// downloaded, `choices` which names can.
    case notFound(name: String, canPull: Bool, choices: [String])
    /// The path exists but has no `config.json`.
    case notAModel(path: String)
    /// No model of this name can be downloaded.
    case unknownName(name: String, choices: [String])
    /// An external program failed; `output` is the end of its output.
    case toolFailed(tool: String, status: Int32, output: String)
    /// An external program could not be started.
    case toolMissing(tool: String, reason: String)
    /// A downloaded file does not have the expected digest.
    case wrongDigest(path: String, expected: String, found: String)
    /// A downloaded package lacks an expected file.
    case missingInPackage(package: String, file: String)
}
