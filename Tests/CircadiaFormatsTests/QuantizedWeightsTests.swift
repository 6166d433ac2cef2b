import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats

@Suite struct QuantizedWeightsTests {
    private let name = "model.layers.1.mlp.up_proj.weight"
    private let rows = 192
    private let columns = 128

    @Test func theSecondProgramFindsTheFirstOnesMatrices() throws {
        let folder = try TemporaryFolder()
        var options = RandomModel.Options()
        options.bits = nil
        options.scaleFormat = .f32
        try RandomModel.write(
            configuration: .object(ModelDirectoryTests.tiny), to: folder.url, options: options)
        let url = folder.file("model.safetensors")
        let exact = try SafetensorsFile(path: url).floats(of: name)

        func open() throws -> (values: [Float], usesSavedPack: Bool) {
            let weights = QuantizedWeights(try SafetensorsFile(path: url), names: [name])
            let matrix = try weights.matrix(name, rows: rows, columns: columns)
            #expect(matrix.bits == 8)
            weights.waitForPackCache()
            return (FloatBufferReader.rows(matrix), weights.usesSavedPack)
        }
        let first = try open()
        #expect(!first.usesSavedPack)
        // A group's zero falls on a step, which may put its far end almost a step out of reach.
        for start in stride(from: 0, to: exact.count, by: QuantizedWeights.groupSize) {
            let group = exact[start..<start + QuantizedWeights.groupSize]
            let step = try (#require(group.max()) - #require(group.min())) / 255
            let worst = group.indices.map { abs(first.values[$0] - exact[$0]) }.max()
            #expect(try #require(worst) <= 1.01 * step)
        }
        let second = try open()
        #expect(second.usesSavedPack && second.values == first.values)

        // A file of other weights is none: these have other bytes, and times.
        options.seed += 1
        try RandomModel.write(
            configuration: .object(ModelDirectoryTests.tiny), to: folder.url, options: options)
        let changed = try open()
        #expect(!changed.usesSavedPack && changed.values != first.values)
    }

    @Test func aTensorThatIsMissingIsNamed() throws {
        let folder = try TemporaryFolder()
        var options = RandomModel.Options()
        options.bits = nil
        try RandomModel.write(
            configuration: .object(ModelDirectoryTests.tiny), to: folder.url, options: options)
        let weights = QuantizedWeights(
            try SafetensorsFile(path: folder.file("model.safetensors")), names: ["nothing"])
        #expect(throws: FormatError.self) {
            _ = try weights.matrix("nothing", rows: 32, columns: 32)
        }
    }
}
