import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFiles
import CircadiaFormats

@Suite struct SafetensorsTests {
    /// A file with this header text and this many bytes of data.
    private func bytes(header: String, dataByteCount: Int, claimed: UInt64? = nil) -> [UInt8] {
        littleEndian([claimed ?? UInt64(header.utf8.count)]) + Array(header.utf8)
            + [UInt8](repeating: 0, count: dataByteCount)
    }

    private func entry(_ name: String, _ type: String, _ shape: String, _ range: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(range)}"
    }

    @Test func whatIsWrittenIsRead() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a.safetensors")
        let floats: [Float] = [1, -2.5, .infinity, 0x1p-130]
        let halves: [UInt16] = [0x3C00, 0xC000, 0x0001]
        try SafetensorsWriter.write(
            [
                ("w", .f32, [2, 2], littleEndian(floats)), ("h", .f16, [3], littleEndian(halves)),
                ("b", .bf16, [1, 1], [0x80, 0x3F]), ("empty", .u32, [0, 4], []),
                ("scalar", .i64, [], littleEndian([Int64(-7)])),
            ], metadata: ["format": "mlx", "note": "é\"x"], to: url)
        let file = try SafetensorsFile(path: url)
        #expect(file.metadata == ["format": "mlx", "note": "é\"x"])
        #expect(try file.floats(of: "w") == floats)
        #expect(try file.floats(of: "h") == [1, -2, 0x1p-24])
        #expect(try file.floats(of: "b") == [1])
        #expect(file.tensors["empty"]?.shape == [0, 4])
        #expect(try file.withBytes(of: "scalar") { Array($0) } == littleEndian([Int64(-7)]))
        #expect((file.tensors["w"]?.byteRange.lowerBound ?? 1) % 64 == 0)
        #expect(folder.names == ["a.safetensors"])
    }

    @Test func filesCanBePrivate() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a.safetensors")
        try SafetensorsWriter.write([("w", .u8, [1], [1])], to: url, mode: 0o600)
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a.safetensors")
        try SafetensorsWriter.write([("w", .u8, [1], [1])], to: url)
        let failure = FileError.missingFile(path: "p", purpose: "q")
        #expect(throws: failure) {
            try SafetensorsWriter.write(
                [TensorDescription(name: "w", type: .u8, shape: [2])], to: url
            ) { (_, _) throws(FileError) in throw failure }
        }
        #expect(try SafetensorsFile(path: url).withBytes(of: "w") { Array($0) } == [1])
        #expect(folder.names == ["a.safetensors"])
    }

    @Test func aMissingDirectoryIsNamed() throws {
        let folder = try TemporaryFolder()
        #expect(
            message(in: folder) {
                try SafetensorsWriter.write(
                    [("w", .u8, [1], [1])], to: folder.file("no/a.safetensors"))
            }
                == "no/a.safetensors: cannot be written: No such file or directory. "
                + "Make its folder first, or name another path.")
    }

    @Test func missingAndUnreadableFilesAreNamed() throws {
        let folder = try TemporaryFolder()
        #expect(
            message(in: folder) { try SafetensorsFile(path: folder.file("x")) }
                == "x: cannot be read: No such file or directory. Check the path.")
        #expect(
            message(in: folder) { try SafetensorsFile(path: folder.url) }
                == ".: cannot be read: Is a directory. Name a file, not a folder.")
    }

    @Test func wrongUsesOfATensorAreNamed() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a.safetensors")
        try SafetensorsWriter.write([("w", .u8, [1], [1])], to: url)
        let file = try SafetensorsFile(path: url)
        #expect(
            message(in: folder) { try file.bytes(of: "v") }
                == "a.safetensors: tensor v is missing; the download may be incomplete.")
        #expect(
            message(in: folder) { try file.floats(of: "w") }
                == "a.safetensors: tensor w has dtype U8, expected F32 or F16 or BF16.")
    }

    @Test func brokenFilesAreRefusedWithTheirPlace() throws {
        let folder = try TemporaryFolder()
        let invalid = "a.safetensors: not a valid safetensors file: "
        let good = entry("w", "F32", "[2]", "[0,8]")
        let corpus: [([UInt8], String)] = [
            (
                [1, 2, 3],
                invalid + "it has 3 bytes, fewer than the 8 that give the header's length; "
                    + "fetch the file again."
            ),
            (
                bytes(header: "{}", dataByteCount: 0, claimed: 500),
                invalid + "its header claims 500 bytes, the whole file has 10; it is truncated or "
                    + "of another format, so fetch it again."
            ),
            (
                bytes(header: "{}", dataByteCount: 0, claimed: .max),
                invalid + "its header claims 18446744073709551615 bytes, the whole file has 10; it "
                    + "is truncated or of another format, so fetch it again."
            ),
            (
                bytes(header: "{\"w\":", dataByteCount: 0),
                "a.safetensors: not valid JSON at byte 13: the text ends inside a value."
            ),
            (
                bytes(header: "[]", dataByteCount: 0),
                invalid + "its header is not a JSON object."
            ),
            (
                bytes(header: "{\"w\":3}", dataByteCount: 0),
                invalid + "the header entry of tensor w has no valid “dtype”."
            ),
            (
                bytes(header: "{\(entry("w", "F32", "[-1]", "[0,8]"))}", dataByteCount: 8),
                invalid + "the header entry of tensor w has no valid “shape”."
            ),
            (
                bytes(
                    header: "{\(entry("w", "F32", "[4294967296,4294967296]", "[0,8]"))}",
                    dataByteCount: 8),
                invalid + "the header entry of tensor w has no valid “shape”."
            ),
            (
                bytes(header: "{\(entry("w", "F32", "[2]", "[8,0]"))}", dataByteCount: 8),
                invalid + "the header entry of tensor w has no valid “data_offsets”."
            ),
            (
                bytes(header: "{\(entry("w", "F99", "[2]", "[0,8]"))}", dataByteCount: 8),
                invalid + "tensor w has the unknown dtype “F99”."
            ),
            (
                bytes(header: "{\(good)}", dataByteCount: 7),
                invalid + "tensor w lies at bytes 0..<8 of the data, of which there are 7; the "
                    + "file is truncated, so fetch it again."
            ),
            (
                bytes(header: "{\(entry("w", "F32", "[3]", "[0,8]"))}", dataByteCount: 8),
                invalid + "tensor w needs 12 bytes for its shape and dtype and has 8."
            ),
            (
                bytes(
                    header: "{\(good),\(entry("v", "F32", "[2]", "[4,12]"))}", dataByteCount: 12),
                invalid + "tensors w and v overlap."
            ),
            (
                bytes(
                    header: "{\(good),\(entry("v", "F32", "[2]", "[0,8]"))}", dataByteCount: 8),
                invalid + "tensors v and w overlap."
            ),
            (
                bytes(
                    header: "{\(good),\(entry("v", "U8", "[1]", "[9,10]"))}", dataByteCount: 10),
                invalid + "1 bytes from byte 8 of the data belong to no tensor."
            ),
            (
                bytes(header: "{\(good)}", dataByteCount: 11),
                invalid + "3 bytes from byte 8 of the data belong to no tensor."
            ),
        ]
        for (contents, expected) in corpus {
            let url = try folder.write("a.safetensors", contents)
            #expect(message(in: folder) { try SafetensorsFile(path: url) } == expected)
        }
    }

    @Test func everyTruncationOfAFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a.safetensors")
        try SafetensorsWriter.write([("w", .f32, [4], [UInt8](repeating: 1, count: 16))], to: url)
        let whole = Array(try Data(contentsOf: url))
        for count in 0..<whole.count {
            let cut = try folder.write("cut.safetensors", Array(whole[0..<count]))
            #expect(throws: FormatError.self, "\(count) bytes") { try SafetensorsFile(path: cut) }
        }
    }
}
