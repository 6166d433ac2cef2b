import Foundation

/// The property list of a launchd agent (launchd.plist(5)).
enum LaunchAgent {
    /// The agent's label, which is also its file's name.
    static func label(_ name: String) -> String { "io.circadia.\(name)" }

    /// The property list of an entry. launchd starts a job that the machine slept through when it wakes;
    /// the half hours catch up with a night during which it was off.
    static func plist(_ entry: ScheduleEntry) -> String {
        func strings(_ words: [String]) -> String {
            words.map { "        <string>\(escaped($0))</string>" }.joined(separator: "\n")
        }
        let variables = entry.environment.sorted { $0.key < $1.key }.map {
            "        <key>\(escaped($0.key))</key><string>\(escaped($0.value))</string>\n"
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" \
            "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
            <plist version="1.0">
            <dict>
                <key>Label</key>
                <string>\(label(entry.name))</string>
                <key>ProgramArguments</key>
                <array>
            \(strings(entry.words))
                </array>
                <key>EnvironmentVariables</key>
                <dict>
            \(variables.joined())    </dict>
                <key>StartCalendarInterval</key>
                <array>
                    <dict>
                        <key>Hour</key><integer>\(entry.time.hour)</integer>
                        <key>Minute</key><integer>\(entry.time.minute)</integer>
                    </dict>
                    <dict>
                        <key>Minute</key><integer>\(ScheduleEntry.retryMinute)</integer>
                    </dict>
                </array>
                <key>ProcessType</key>
                <string>Background</string>
                <key>LowPriorityIO</key>
                <true/>
                <key>Nice</key>
                <integer>10</integer>
                <key>ExitTimeOut</key>
                <integer>120</integer>
            </dict>
            </plist>

            """
    }

    /// Text of a property list.
    static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;")
            .replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
    }
}
