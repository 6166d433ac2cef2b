import Foundation

/// Runs an actor's jobs one after another on a thread of its own, which ends with the executor.
///
/// A reply takes seconds without a pause, and on the pool that all tasks share it would hold up the
/// others. It has to be one thread always: OpenMP keeps a team of workers for each thread that starts
/// parallel loops, so a queue that moves between threads would start a team on each of them.
package final class ThreadExecutor: SerialExecutor {
    private let queue = JobQueue()

    /// As large as that of a main thread, where commands without a host run the same code.
    private static let stackByteCount = 8 << 20

    /// Starts the thread; `name` is what debuggers show.
    package init(name: String) {
        let thread = Thread { [queue, weak self] in
            while let job = queue.next() {
                // A job keeps its actor alive, and the actor keeps this executor.
                guard let self else { return }
                job.runSynchronously(on: self.asUnownedSerialExecutor())
            }
        }
        thread.name = name
        thread.stackSize = Self.stackByteCount
        thread.start()
    }

    deinit { queue.close() }

    /// Runs a job on the thread, after those that were handed in before.
    package func enqueue(_ job: consuming ExecutorJob) { queue.add(UnownedJob(job)) }

    /// The executor as actors hold it.
    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}

/// Jobs that wait for a thread, oldest first.
///
/// `@unchecked Sendable`: the condition's lock guards all that changes.
private final class JobQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isClosed = false

    /// Adds a job and wakes the thread.
    package func add(_ job: UnownedJob) {
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    /// Waits for the next job; nil once the queue is closed and empty.
    package func next() -> UnownedJob? {
        condition.withLock {
            while jobs.isEmpty && !isClosed { condition.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }

    /// Lets the thread end.
    package func close() {
        condition.withLock {
            isClosed = true
            condition.signal()
        }
    }
}
