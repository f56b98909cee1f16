package import WireCore

/// What a container asks for its /etc/hosts and /etc/resolv.conf.
package struct NameRequest: Sendable, Hashable {
  /// `wirehook.dns`; empty: those that the engine or the host gives.
  package var servers: [IPAddress] = []
  /// `wirehook.dns-search`; nil: as it is; empty (given as `.`): none.
  package var search: [String]?
  package var hosts: [HostEntry] = []
  /// More names of the container itself.
  package var aliases: [String] = []

  package var asksForHosts: Bool { !hosts.isEmpty || !aliases.isEmpty }
  package var asksForResolver: Bool { !servers.isEmpty || search != nil }

  package init() {}

  /// A line for /etc/hosts.
  package struct HostEntry: Sendable, Hashable {
    package var name: String
    /// nil: `host-gateway`, the host as this container reaches it.
    package var address: IPAddress?

    package init(name: String, address: IPAddress?) {
      self.name = name
      self.address = address
    }
  }
}

extension NameRequest {
  mutating func set(_ key: AnnotationKey, _ text: AnnotationText) throws(WireError) {
    switch key {
    case .dns: servers = try text.list(Resolver.expectation, Resolver.address)
    case .dnsSearch:
      let domains = try text.list("domain names, or \".\" for none") { $0 == "." ? $0 : HostName.parse($0) }
      if domains.contains("."), domains.count > 1 { throw text.refused("\".\" stands for none, and alone") }
      search = domains.filter { $0 != "." }
    case .hosts: hosts = try text.list("NAME:ADDRESS or NAME:host-gateway", HostEntry.init(text:))
    case .alias: aliases = try text.list("names of hosts", HostName.parse)
    default: throw text.refused("the key is for an interface")
    }
  }
}

extension NameRequest.HostEntry {
  /// `db:10.0.0.7`, `db:fd00::7`, `db:[fd00::7]`, `docs:host-gateway`; `=` does for the colon as with Docker's `--add-host`.
  package init?(text: String) {
    guard let separator = text.utf8.firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "=") }),
      let name = HostName.parse(String(text[..<separator]))
    else { return nil }
    var value = text[text.utf8.index(after: separator)...]
    if value == "host-gateway" {
      self.init(name: name, address: nil)
      return
    }
    if value.first == "[", value.last == "]" { value = value.dropFirst().dropLast() }
    guard let address = IPAddress(value) else { return nil }
    self.init(name: name, address: address)
  }
}

/// A host's or domain's name as it may stand in /etc/hosts and /etc/resolv.conf.
enum HostName {
  /// The name without a dot at its end. Underscores are no host names (RFC 1123 2.1), but people and engines use them.
  static func parse(_ text: String) -> String? {
    let name = text.hasSuffix(".") ? String(text.dropLast()) : text
    guard (1...253).contains(name.utf8.count) else { return nil }
    for label in name.pieces(at: UInt8(ascii: ".")) {
      guard (1...63).contains(label.utf8.count), label.utf8.allSatisfy(isAllowed), label.utf8.first != UInt8(ascii: "-")
      else { return nil }
    }
    return name
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}

/// The address of a resolver.
enum Resolver {
  static let expectation = "addresses of resolvers, such as 10.0.0.53"

  static func address(_ text: String) -> IPAddress? {
    IPAddress(text).flatMap { $0.isAny || $0.isMulticast ? nil : $0 }
  }
}
