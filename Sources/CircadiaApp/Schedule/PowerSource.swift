import Foundation

/// Tells whether the machine runs on battery.
package enum PowerSource {
    /// The folder in which Linux lists power supplies; `CIRCADIA_POWER_SUPPLY` replaces it.
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

    /// Whether the machine runs on battery; false if the system does not say, as without a battery.
    @Sendable package static func isBattery() async -> Bool {
        #if os(macOS)
            isBattery(pmset: (try? await SystemTool.run("pmset", ["-g", "batt"]))?.output ?? "")
        #else
            isBattery(supplies: folder)
        #endif
    }

    /// Reads the kernel's power supplies (Documentation/ABI/testing/sysfs-class-power). The machine
    /// runs on battery if its own battery discharges and no other supply is online.
    package static func isBattery(supplies folder: URL) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        var discharges = false
        for name in names {
            func value(_ key: String) -> String {
                let file = folder.appendingPathComponent(name).appendingPathComponent(key)
                return ((try? String(contentsOf: file, encoding: .utf8)) ?? "")
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }
            if value("type") == "Battery" {
                // A wireless mouse has a battery too, with the scope “Device”.
                if value("scope") != "Device", value("status") == "Discharging" {
                    discharges = true
                }
            } else if value("online") == "1" {
                return false
            }
        }
        return discharges
    }

    /// Reads the output of `pmset -g batt`, such as `Now drawing from 'Battery Power'`.
    package static func isBattery(pmset output: String) -> Bool {
        output.contains("'Battery Power'")
    }
}
