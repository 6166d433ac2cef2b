/// What a secret is.
package enum SecretKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// A provider's key, known by its prefix and shape.
    case apiKey = "API key"
    /// An opaque value that is called a token, key or secret, or that a header carries.
    case token = "token"
    /// A JSON web token.
    case webToken = "web token"
    /// A private key in PEM or PGP armour.
    case privateKey = "private key"
    /// A password, also one in an address or a connection string.
    case password = "password"
    /// The number of a payment card (Luhn's checksum).
    case cardNumber = "card number"
    /// An international bank account number (ISO 13616).
    case iban = "IBAN"
    /// A national bank or account number with a checksum.
    case bankNumber = "bank number"
}

/// A secret in a text.
package struct Secret: Sendable, Hashable {
    /// What it is.
    package let kind: SecretKind
    /// Where it is: the secret alone, without the word that names it.
    package let range: Range<String.Index>
}
