import CircadiaKernels
import CircadiaTestSupport
import Testing

/// The helpers that judge kernels see what is wrong with broken ones.
extension KernelSuite {
    @Suite struct BrokenVariantTests {
        private static func additions(
            _ broken:
                @escaping @Sendable (
                    UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int
                ) -> Void
        ) -> String? {
            var generator = SeededGenerator(seed: 7)
            let (y, x) = (generator.floats(33), generator.floats(33))
            let memory = KernelMemory(misalignment: 1)
            broken(memory.output(y), memory.input(x), 33)
            if let trespass = memory.trespass { return trespass }
            let values = zip(y, x).map { Double($0) + Double($1) }
            let expected = Expected(values) { epsilon * abs(values[$0]) }
            return CrossCheckRunner.compare(memory.results, [expected], scale: 1)
        }

        @Test func rightAdditionPasses() {
            #expect(Self.additions { y, x, n in for i in 0..<n { y[i] += x[i] } } == nil)
        }

        @Test func missingTailIsSeen() {
            let failure = Self.additions { y, x, n in for i in 0..<n & ~15 { y[i] += x[i] } }
            #expect(failure?.contains("element 32") == true)
        }

        @Test func smallErrorIsSeen() {
            let failure = Self.additions { y, x, n in
                for i in 0..<n { y[i] += x[i] }
                y[17] *= 1 + 4 * .ulpOfOne
            }
            #expect(failure?.contains("element 17") == true)
        }

        @Test func writeBehindTheEndIsSeen() {
            let failure = Self.additions { y, x, n in
                for i in 0..<n { y[i] += x[i] }
                y[n] = 0
            }
            #expect(failure == "output 0 overrun at 0")
        }

        @Test func writeBeforeTheStartIsSeen() {
            let failure = Self.additions { y, x, n in
                for i in 0..<n { y[i] += x[i] }
                y[-1] = 0
            }
            #expect(failure?.hasPrefix("output 0 overrun at -") == true)
        }

        @Test func writeToAnInputIsSeen() {
            let failure = Self.additions { y, x, n in
                for i in 0..<n { y[i] += x[i] }
                UnsafeMutablePointer(mutating: x)[3] = 0
            }
            #expect(failure == "input 0 was written to")
        }

        @Test func nanIsSeen() {
            let failure = Self.additions { y, x, n in
                for i in 0..<n { y[i] += x[i] }
                y[5] = .nan
            }
            #expect(failure?.contains("element 5 is nan") == true)
        }
    }
}
