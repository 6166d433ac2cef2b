import Foundation

/// Whether the machine runs on its battery.
package enum PowerSource {
    /// Where Linux lists power supplies; `CIRCADIA_POWER_SUPPLY` names another folder.
    private static var folder: URL {
        let given = ProcessInfo.processInfo.environment["CIRCADIA_POWER_SUPPLY"] ?? ""
        return URL(
            fileURLWithPath: given.isEmpty ? "/sys/class/power_supply" : given, isDirectory: true)
    }

    #if os(macOS)
        /// Seconds between two checks during a night. Each check starts a program.
        package static let interval = 10.0
    #else
        /// Seconds between two checks during a night.
        package static let interval = 1.0
    #endif

    /// Whether it does; false if the system does not say, as on machines without a battery.
    @Sendable package static func isBattery() async -> Bool {
        #if os(macOS)
            isBattery(pmset: (try? await SystemTool.run("pmset", ["-g", "batt"]))?.output ?? "")
        #else
            isBattery(supplies: folder)
        #endif
    }

    /// What the kernel says (Documentation/ABI/testing/sysfs-class-power): on battery where a battery of
    /// the machine's own discharges and no other supply is online.
    static func isBattery(supplies folder: URL) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var discharges = false
        for name in names {
            func value(_ key: String) -> String {
                let file = folder.appendingPathComponent(name).appendingPathComponent(key)
                return ((try? String(contentsOf: file, encoding: .utf8)) ?? "")
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }
            if value("type") == "Battery" {
                // A mouse has one too.
                if value("scope") != "Device", value("status") == "Discharging" {
                    discharges = true
                }
            } else if value("online") == "1" {
                return false
            }
        }
        return discharges
    }

    /// What macOS says: `Now drawing from 'Battery Power'`.
    static func isBattery(pmset output: String) -> Bool { output.contains("'Battery Power'") }
}
