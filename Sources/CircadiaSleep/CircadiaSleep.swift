// CircadiaSleep: see the README's table of parts.
