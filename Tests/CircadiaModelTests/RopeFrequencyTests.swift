import CircadiaTestSupport
import Foundation
import Testing

import CircadiaFormats
import CircadiaModel

extension ModelTests {
    @Suite struct RopeFrequencyTests {
        @Test func llama3ScalingAgreesWithTransformers() throws {
            let configuration = try ModelConfiguration(
                json: .object(RandomModel.llama3B), path: "config.json")
            let recorded = try JSONDecoder().decode(
                [Float].self, from: try Data(contentsOf: Surroundings.fixture("llama3_rope.json")))
            let frequencies = RopeFrequencies.make(for: configuration).array
            #expect(frequencies.count == 64)
            for (index, pair) in zip(frequencies, recorded).enumerated() {
                // transformers raises to powers in f32.
                #expect(abs(pair.0 - pair.1) <= 2e-6 * pair.1, "frequency \(index)")
            }
        }

        @Test func withoutScalingFrequenciesArePowersOfTheta() throws {
            var object = RandomModel.llama3B
            object["rope_scaling"] = .null
            object["head_dim"] = .integer(4)
            let configuration = try ModelConfiguration(json: .object(object), path: "config.json")
            let frequencies = RopeFrequencies.make(for: configuration).array
            #expect(frequencies.count == 2)
            #expect(frequencies[0] == 1)
            #expect(abs(frequencies[1] - 1 / Float(500_000).squareRoot()) < 1e-9)
        }
    }
}
