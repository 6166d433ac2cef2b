/// What can go wrong while model files are read or written.
///
/// Every case names the file; wording is in `FormatError+Description.swift`.
package enum FormatError: Error, Sendable, Equatable {
    /// A safetensors file breaks its format.
    case safetensors(path: String, problem: SafetensorsProblem)
    /// A tensor is missing or is not what its user needs.
    case tensor(path: String, name: String, problem: TensorProblem)
    /// `config.json` (or `adapter_config.json`) lacks a value or holds one that is not supported.
    case configuration(path: String, problem: ConfigurationProblem)
    /// A GGUF file breaks its format or holds what cannot be imported.
    case gguf(path: String, problem: GGUFProblem)
    /// An adapter does not fit its configuration or the model.
    case adapter(path: String, problem: AdapterProblem)
    /// A model could not be found, brought or checked.
    case store(StoreProblem)
}

/// How a file breaks the safetensors format.
package enum SafetensorsProblem: Sendable, Equatable {
    /// The file is shorter than the 8 bytes that give the header's length.
    case tooShort(byteCount: Int)
    /// The header's length points past the end of the file or beyond the format's limit.
    case badHeaderLength(length: UInt64, fileByteCount: Int)
    /// The header is no JSON object of tensors.
    case headerNotAnObject
    /// A tensor's header entry lacks `dtype`, `shape` or `data_offsets`, or one has a wrong type.
    case badEntry(tensor: String, field: String)
    /// A dtype that the format does not know.
    case unknownType(tensor: String, type: String)
    /// A tensor's bytes lie outside the file.
    case rangeOutsideFile(tensor: String, start: Int, end: Int, dataByteCount: Int)
    /// A tensor's byte count differs from what its shape and dtype need.
    case wrongByteCount(tensor: String, expected: Int, found: Int)
    /// Two tensors share bytes.
    case overlap(first: String, second: String)
    /// The tensors leave bytes uncovered: `count` of them from `start` (counted from the data).
    case gap(start: Int, count: Int)
}

/// What is wrong with one tensor for its user.
package enum TensorProblem: Sendable, Equatable {
    /// No file of the model holds it.
    case missing
    /// It has another shape than needed.
    case wrongShape(expected: [Int], found: [Int])
    /// The configuration says that the module is quantised, but it has no scales.
    case missingScales(bits: Int, groupSize: Int)
    /// It has another dtype than those accepted.
    case wrongType(expected: [String], found: String)
    /// Its values cannot belong to any supported quantisation of that shape.
    case unsupportedQuantization(bits: Int, groupSize: Int)
    /// The configuration and the stored shapes disagree.
    case quantizationMismatch(
        configuredBits: Int, configuredGroupSize: Int, foundBits: Int, foundGroupSize: Int)
    /// The configuration says that it is not quantised, but it comes with scales.
    case unexpectedScales
    /// The index names a file for it that does not hold it.
    case notInShard(String)
}

/// What is wrong with a configuration file.
package enum ConfigurationProblem: Sendable, Equatable {
    /// The file holds JSON, but no object.
    case notAnObject
    /// A key that is needed is absent.
    case missingKey(String)
    /// A key holds a value of the wrong type or outside the sensible range.
    case badValue(key: String, expected: String, found: String)
    /// `model_type` names an architecture that this program does not implement.
    case unknownArchitecture(String)
    /// A quantisation mode other than `affine`.
    case unknownQuantizationMode(module: String, mode: String)
    /// A number of bits that no kernel knows.
    case unsupportedBits(module: String, bits: Int)
    /// A group size that no kernel knows.
    case unsupportedGroupSize(module: String, groupSize: Int)
    /// A `rope_scaling` type that is not implemented.
    case unknownRopeScaling(String)
    /// A feature of the architecture that is not implemented, such as biased projections.
    case unsupportedFeature(key: String, value: String)
    /// A kind of fine-tuning other than `lora` and `dora`.
    case unknownFineTuneType(String)
}

/// How a GGUF file breaks its format or goes beyond what can be imported.
package enum GGUFProblem: Sendable, Equatable {
    /// The first four bytes are not `GGUF`.
    case notGGUF
    /// A version other than 2 and 3.
    case unknownVersion(UInt32)
    /// The file ends inside the item at `offset`.
    case truncated(offset: Int, item: String)
    /// A count or length that the file cannot hold.
    case implausibleCount(offset: Int, item: String, count: UInt64)
    /// A string that is no UTF-8.
    case badString(offset: Int)
    /// A metadata type that the format does not know.
    case unknownValueType(key: String, type: UInt32)
    /// A metadata key that is needed is absent or has another type.
    case missingMetadata(key: String, expected: String)
    /// Metadata that contradicts other metadata.
    case inconsistentMetadata(key: String, expected: String, found: String)
    /// `general.architecture` is not `llama`.
    case unknownArchitecture(String)
    /// A tensor type that cannot be imported without loss.
    case unsupportedTensorType(tensor: String, type: String)
    /// A tensor that no Llama has.
    case unknownTensor(String)
    /// A tensor that a Llama needs is absent.
    case missingTensor(String)
    /// A tensor's shape differs from what the metadata say.
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    /// A tensor's data lies outside the file.
    case tensorOutsideFile(tensor: String, end: Int, fileByteCount: Int)
    /// A tokenizer model or pre-tokenizer that has no known translation.
    case unsupportedTokenizer(key: String, value: String)
    /// Rotary factors that are not those of Llama 3.
    case unknownRopeFactors
}

/// What is wrong with an adapter.
package enum AdapterProblem: Sendable, Equatable {
    /// One of the two files of an adapter is absent.
    case incomplete(missing: String)
    /// A tensor name that no adapter of this project or of mlx_lm has.
    case unknownTensor(String)
    /// `lora_a` without `lora_b` or the other way round.
    case missingPartner(tensor: String, partner: String)
    /// A tensor whose rank or width differs from what is needed.
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    /// A tensor that holds NaN or infinity.
    case notFinite(tensor: String)
    /// The adapter holds a layer that the model does not have, or that `num_layers` leaves out.
    case layerOutOfRange(tensor: String, first: Int, layerCount: Int)
    /// The adapter holds no tensors.
    case empty
    /// The path holds no adapter in any format that is known.
    case unknownFormat
    /// The weights are a Python pickle, which would run code when read.
    case pickle(file: String)
    /// A setting of a PEFT adapter that has no counterpart here.
    case unsupportedSetting(key: String, value: String)
    /// A GGUF file that is something else than a LoRA adapter.
    case notAnAdapter(found: String)
    /// A format that cannot hold what the adapter is.
    case notExpressible(kind: String, format: String)
}

/// Why a model could not be found or brought.
package enum StoreProblem: Sendable, Equatable {
    /// Neither a directory nor an installed model; `canPull` where it is a name that can be brought.
    case notFound(name: String, canPull: Bool, choices: [String])
    /// The path exists but holds no `config.json`.
    case notAModel(path: String)
    /// `pull` does not know the name.
    case unknownName(name: String, choices: [String])
    /// An outside program failed; `output` is the end of what it wrote.
    case toolFailed(tool: String, status: Int32, output: String)
    /// An outside program could not be started.
    case toolMissing(tool: String, reason: String)
    /// A file that came does not have the expected digest.
    case wrongDigest(path: String, expected: String, found: String)
    /// A package that came does not hold an expected file.
    case missingInPackage(package: String, file: String)
}
