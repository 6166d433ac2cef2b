import Foundation

/// The texts of a systemd user service and its timer.
package enum SystemdUnits {
    /// The service unit, which runs one night.
    package static func service(_ entry: ScheduleEntry) -> String {
        let variables = entry.environment.sorted { $0.key < $1.key }
            .map { "Environment=\(quoted("\($0.key)=\($0.value)", expandsVariables: false))\n" }
        return """
            # \(entry.remark)
            [Unit]
            Description=Circadia's night

            [Service]
            Type=oneshot
            \(variables.joined())ExecStart=\(entry.command.map { quoted($0) }.joined(separator: " "))
            SuccessExitStatus=2 75
            Nice=10
            IOSchedulingClass=idle
            TimeoutStartSec=infinity
            TimeoutStopSec=120

            """
    }

    /// The timer unit. It starts the service at the time of day, at once if that was missed, and
    /// every half hour for nights that were put off.
    package static func timer(_ entry: ScheduleEntry) -> String {
        """
        # \(entry.remark)
        [Unit]
        Description=Circadia's night at \(entry.time)

        [Timer]
        OnCalendar=*-*-* \(entry.time):00
        OnCalendar=*-*-* *:\(ScheduleEntry.retryMinute):00
        Persistent=true
        AccuracySec=1min

        [Install]
        WantedBy=timers.target

        """
    }

    /// Quotes a word for a unit file (systemd.service(5), “Command lines”): in double quotes, with
    /// `%` and, in commands, `$` doubled.
    package static func quoted(_ word: String, expandsVariables: Bool = true) -> String {
        var text = word.replacingOccurrences(of: "\\", with: "\\\\")
            .replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "%", with: "%%")
        if expandsVariables { text = text.replacingOccurrences(of: "$", with: "$$") }
        return "\"\(text)\""
    }
}
