import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Memory of this process as the system counts it.
package enum ResidentMemory {
    /// Bytes in use now; 0 if the system does not tell.
    package static var current: Int {
        #if os(Linux)
            guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
                let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
            else { return 0 }
            return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        #else
            // Not `task_info`: its `mach_task_self_` is a variable of C, which Swift 6 refuses.
            var info = proc_taskinfo()
            let size = Int32(MemoryLayout<proc_taskinfo>.size)
            guard proc_pidinfo(getpid(), PROC_PIDTASKINFO, 0, &info, size) == size else { return 0 }
            return Int(info.pti_resident_size)
        #endif
    }

    /// The peak, in bytes.
    package static var peak: Int {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }
}
