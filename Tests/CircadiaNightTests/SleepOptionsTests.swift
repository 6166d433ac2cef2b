import Testing

import CircadiaNight

@Suite("Steps of a night")
struct SleepOptionsTests {
    @Test("By default they follow from the number of rows, within bounds")
    func usual() {
        var options = SleepOptions()
        options.batchSize = 6
        #expect(options.steps(rows: 120) == 30)
        #expect(options.steps(rows: 121) == 32)
        #expect(options.steps(rows: 1) == 8)
        #expect(options.steps(rows: 1_000_000) == 300)
        options.gradientAccumulation = 2
        #expect(options.steps(rows: 120) == 15)
    }

    @Test("Given steps and passes are used as they are")
    func given() {
        var options = SleepOptions()
        options.batchSize = 4
        options.epochs = 2
        #expect(options.steps(rows: 5) == 4)
        #expect(options.steps(rows: 4000) == 2000)
        options.iterations = 1
        #expect(options.steps(rows: 4000) == 1)
    }
}
