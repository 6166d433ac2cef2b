import Testing

import CircadiaKernels

/// Makes additions with a kernel written here, so that a broken one goes through the runner.
private struct Additions: KernelExecutor {
    typealias Kernel =
        @Sendable (_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int) ->
        Void

    let threadCounts = [1, 2]
    let kernel: Kernel

    func run(
        _ call: KernelCall, on variant: VariantName?, misalignment: Int, threads: Int
    ) throws -> KernelOutcome {
        let memory = KernelMemory(call, misalignment: misalignment)
        let chosen = variant == nil ? Additions.right : kernel
        chosen(memory.floats(0), memory.floats(1), call.integers[0])
        return memory.outcome
    }

    static let right: Kernel = { y, x, n in for i in 0..<n { y[i] += x[i] } }

    /// What the runner says of `kernel`; the first failure.
    static func failure(of kernel: @escaping Kernel) -> String? {
        let name = VariantName(
            kernel: "add", name: "broken", isa: "scalar", isSupported: true, isActive: false)
        return CrossCheckRunner(executor: Additions(kernel: kernel)).failures(of: name).first
    }
}

/// The cross-check turns red for what goes wrong in kernels.
extension KernelSuite {
    @Suite struct BrokenVariantTests {
        @Test func rightAdditionPasses() {
            #expect(Additions.failure(of: Additions.right) == nil)
        }

        @Test func missingTailIsSeen() throws {
            let failure = Additions.failure { y, x, n in Additions.right(y, x, n & ~15) }
            #expect(try #require(failure).contains("element 0 is "))
        }

        @Test func smallErrorIsSeen() throws {
            let failure = Additions.failure { y, x, n in
                Additions.right(y, x, n)
                if n > 17 { y[17] *= 1 + 4 * .ulpOfOne }
            }
            #expect(try #require(failure).contains("element 17 is "))
        }

        @Test func writeBehindTheEndIsSeen() throws {
            let failure = Additions.failure { y, x, n in
                Additions.right(y, x, n)
                y[n] = 0
            }
            #expect(try #require(failure).contains("operand 0 overrun at 0"))
        }

        @Test func writeBeforeTheStartIsSeen() throws {
            let failure = Additions.failure { y, x, n in
                Additions.right(y, x, n)
                y[-1] = 0
            }
            #expect(try #require(failure).contains("operand 0 overrun at -"))
        }

        @Test func writeToAnInputIsSeen() throws {
            let failure = Additions.failure { y, x, n in
                Additions.right(y, x, n)
                if n > 0 { UnsafeMutablePointer(mutating: x)[0] = 0 }
            }
            #expect(try #require(failure).contains("operand 1 was written to"))
        }

        @Test func nanIsSeen() throws {
            let failure = Additions.failure { y, x, n in
                Additions.right(y, x, n)
                if n > 5 { y[5] = .nan }
            }
            #expect(try #require(failure).contains("element 5 is nan"))
        }

        @Test func needOfAlignmentIsSeen() throws {
            let failure = Additions.failure { y, x, n in
                let aligned = UnsafeMutablePointer<Float>(bitPattern: UInt(bitPattern: y) & ~15)
                Additions.right(aligned ?? y, x, n)
            }
            #expect(try #require(failure).contains("misalignment 1"))
        }
    }
}
