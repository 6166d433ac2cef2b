import CircadiaKernels
import CircadiaTestSupport
import Foundation
import Testing

extension KernelSuite {
    /// Settings of the process and of single calls, teams, and loops inside loops.
    @Suite struct KernelRuntimeTests {
        // MARK: Loops inside loops

        /// Counts how often each item of a loop inside a loop is run.
        private static func nestedCounts(outer: Int, inner: Int) -> [Int32] {
            let counts = AlignedBuffer<Int32>(count: outer * inner)
            KernelRuntime.forRanges(of: outer, grain: 1) { range in
                for i in range {
                    KernelRuntime.forRanges(of: inner, grain: 1) { items in
                        for j in items { counts[i * inner + j] += 1 }
                    }
                }
            }
            return counts.array
        }

        @Test(arguments: [1, 2, 4]) func aLoopInsideALoopRunsOnce(threads: Int) {
            KernelRuntime.withThreads(threads) {
                for _ in 0..<50 {
                    #expect(Self.nestedCounts(outer: 7, inner: 33).allSatisfy { $0 == 1 })
                }
            }
        }

        /// In a process of its own, which ends if it does not come to an end: threads of a team that
        /// wait for each other cannot be stopped.
        @Test(arguments: [1, 2, 4]) func aLoopInsideATeamsLoopRunsOnce(threads: Int) async {
            await #expect(processExitsWith: .success) { [threads] in
                alarm(60)
                KernelRuntime.withThreads(threads) {
                    KernelRuntime.withTeam {
                        for _ in 0..<500 {
                            #expect(Self.nestedCounts(outer: 7, inner: 33).allSatisfy { $0 == 1 })
                        }
                    }
                }
            }
        }

        /// A product that is called in a loop's body has the bits that it has outside.
        @Test func kernelsInsideALoopChangeNoBit() async {
            await #expect(processExitsWith: .success) {
                alarm(60)
                let product = try Product(tokens: 5)
                let expected = product.run()
                KernelRuntime.withThreads(3) {
                    KernelRuntime.withTeam {
                        KernelRuntime.forRanges(of: 6, grain: 1) { range in
                            for _ in range { #expect(product.run() == expected) }
                        }
                    }
                }
            }
        }

        // MARK: Settings for single calls

        @Test func settingsHoldForTheBodyAlone() throws {
            struct Stop: Error {}
            let (threads, isa) = (KernelRuntime.threads, KernelRuntime.isa)
            #expect(throws: Stop.self) {
                try KernelRuntime.withISA("scalar") {
                    try KernelRuntime.withThreads(threads + 1) {
                        #expect(KernelRuntime.isa == "scalar")
                        let expected = KernelRuntime.hasThreads ? threads + 1 : 1
                        #expect(KernelRuntime.threads == expected)
                        throw Stop()
                    }
                }
            }
            #expect(KernelRuntime.threads == threads)
            #expect(KernelRuntime.isa == isa)
        }

        @Test(arguments: [false, true]) func settingsReachTheThreadsThatShareTheWork(isTeam: Bool)
            throws
        {
            let names = AlignedBuffer<Bool>(count: 64)
            let loop = {
                KernelRuntime.forRanges(of: 64, grain: 1) { range in
                    for i in range { names[i] = KernelRuntime.isa == "scalar" }
                }
            }
            try KernelRuntime.withISA("scalar") {
                KernelRuntime.withThreads(4) {
                    if isTeam { KernelRuntime.withTeam(loop) } else { loop() }
                }
            }
            #expect(names.array.allSatisfy { $0 })
        }

        /// Threads with different settings and teams of their own run side by side.
        @Test func settingsOfOneThreadAreNotAnothers() throws {
            let isas = KernelRuntime.isaChoices.split(separator: ", ").map(String.init)
            let expected = try isas.map { isa in
                try KernelRuntime.withISA(isa) { try Product(tokens: 40).run() }
            }
            DispatchQueue.concurrentPerform(iterations: 8) { index in
                let (isa, threads) = (index % isas.count, 1 + index % 3)
                #expect(throws: Never.self) {
                    try KernelRuntime.withISA(isas[isa]) {
                        try KernelRuntime.withThreads(threads) {
                            let product = try Product(tokens: 40)
                            KernelRuntime.withTeam {
                                for _ in 0..<20 { #expect(product.run() == expected[isa]) }
                            }
                            #expect(KernelRuntime.isa == isas[isa])
                            #expect(
                                KernelRuntime.threads == (KernelRuntime.hasThreads ? threads : 1))
                        }
                    }
                }
            }
        }

        @Test func unknownNamesAreRefused() {
            #expect(
                throws: KernelError.unknownISA(
                    requested: "sse9", choices: KernelRuntime.isaChoices)
            ) {
                try KernelRuntime.withISA("sse9") { Issue.record("the body was called") }
            }
            #expect(
                throws: KernelError.unknownISA(
                    requested: "rmsnorm/sse9", choices: KernelRuntime.isaChoices)
            ) {
                try KernelRuntime.withVariant("sse9", of: "rmsnorm") {
                    Issue.record("the body was called")
                }
            }
        }

        // MARK: Settings of the process

        @Test func theProcessIsConfiguredOnce() async {
            await #expect(processExitsWith: .success) {
                #expect(throws: KernelError.self) { try KernelRuntime.configure(isa: "sse9") }
                try KernelRuntime.configure(threads: 3, isa: "scalar")
                #expect(KernelRuntime.isa == "scalar")
                #expect(KernelRuntime.threads == (KernelRuntime.hasThreads ? 3 : 1))
                try KernelRuntime.configure(threads: 3, isa: "scalar")
                let late = KernelError.alreadyConfigured(
                    isa: "scalar", threads: KernelRuntime.threads)
                #expect(throws: late) { try KernelRuntime.configure(threads: 2, isa: "scalar") }
                #expect(KernelRuntime.threads == (KernelRuntime.hasThreads ? 3 : 1))
            }
        }

        @Test func theFirstUseConfigures() async {
            await #expect(processExitsWith: .success) {
                _ = Kernels.argmax([1, 2], count: 2)
                try KernelRuntime.configure()
                #expect(throws: KernelError.self) { try KernelRuntime.configure(threads: 1000) }
            }
        }

        @Test func theErrorSaysWhatToDo() {
            #expect(
                "\(KernelError.alreadyConfigured(isa: "avx2", threads: 2))"
                    == "the kernels already run on avx2 with 2 threads, which cannot change while "
                    + "the process runs. Set the instruction set and the threads before the first "
                    + "use.")
        }
    }
}

/// A product large enough to be shared out among threads.
private struct Product: Sendable {
    private static let (rows, columns) = (96, 128)
    private let tokens: Int
    private let x: [Float]
    private let weights: WeightMatrix

    init(tokens: Int) throws {
        var generator = SplitMix64(seed: 41)
        self.tokens = tokens
        x = generator.floats(tokens * Self.columns)
        weights = generator.floats(Self.rows * Self.columns).withUnsafeBytes {
            WeightMatrix(dense: $0, format: .f32, rows: Self.rows, columns: Self.columns)
        }
    }

    func run() -> [Float] {
        let output = FloatBuffer(count: tokens * Self.rows)
        x.withUnsafeBufferPointer { x in
            guard let x = x.baseAddress else { return }
            Kernels.matmul(
                .exact, x: x, tokens: tokens, weights: [weights], outputs: [output.pointer],
                workspace: Workspace())
        }
        return output.array
    }
}
