/// The name of a network link as the kernel accepts it (`dev_valid_name` in net/core/dev.c): 1 to 15 bytes, not `.` or
/// `..`, without `/`, `:` or white space. We also refuse control and non-ASCII characters: no tool prints them usefully.
package struct InterfaceName: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let description: String

  /// The longest name in bytes: IFNAMSIZ less the terminating NUL.
  package static let limit = 15

  package init?(_ text: Substring) { self.init(String(text)) }

  // Not generic: unspecialised, one name takes longer than reading a configuration.
  package init?(_ text: String) {
    guard (1...Self.limit).contains(text.utf8.count), text != ".", text != ".." else { return nil }
    for byte in text.utf8 {
      guard (0x21...0x7e).contains(byte), byte != UInt8(ascii: "/"), byte != UInt8(ascii: ":") else { return nil }
    }
    description = text
  }

  /// A name that the program makes of a fixed prefix and a bounded token, so that it is valid by its form.
  package init(derived text: String) { description = text }

  /// What `init` wants, for error messages.
  package static let expectation = "1 to 15 printable ASCII characters without \"/\", \":\" or space"

  package static func < (left: InterfaceName, right: InterfaceName) -> Bool { left.description < right.description }
}
