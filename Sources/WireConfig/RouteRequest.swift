package import WireCore

/// A route that the container is to have, of `wirehook.routes` or a network's `routes`.
package struct RouteRequest: Sendable, Hashable {
  /// Without host bits; `default` is a length of 0.
  package var destination: Prefix
  package var via: IPAddress?
  /// The link inside the container.
  package var device: InterfaceName?
  package var metric: UInt32?

  package init(destination: Prefix, via: IPAddress?, device: InterfaceName? = nil, metric: UInt32? = nil) {
    self.destination = destination
    self.via = via
    self.device = device
    self.metric = metric
  }

  static let expectation = "DESTINATION via GATEWAY or DESTINATION dev INTERFACE, and perhaps metric NUMBER"

  /// Reads a route as ip-route(8) takes it; the error is what was expected instead.
  init(_ text: String) throws(RouteSyntaxError) {
    let words = text.words
    guard let target = words.first, words.count.isMultiple(of: 2) == false, words.count <= 7 else {
      throw RouteSyntaxError(expectation: Self.expectation)
    }
    self.init(destination: Prefix(host: .any(.ipv4)), via: nil)
    for index in stride(from: 1, to: words.count, by: 2) { try read(words[index], words[index + 1]) }
    guard via != nil || device != nil else { throw RouteSyntaxError(expectation: Self.expectation) }
    destination = try Self.destination(target, family: via?.family ?? .ipv4)
    if let via, via.family != destination.family {
      throw RouteSyntaxError(expectation: "a gateway of the destination's family, \(destination.family.name)")
    }
  }

  private mutating func read(_ option: Substring, _ value: Substring) throws(RouteSyntaxError) {
    switch option {
    case "via" where via == nil:
      guard let gateway = IPAddress(value), !gateway.isAny, !gateway.isMulticast else {
        throw RouteSyntaxError(expectation: "the address of a gateway after \"via\"")
      }
      via = gateway
    case "dev" where device == nil:
      guard let name = InterfaceName(value) else {
        throw RouteSyntaxError(expectation: "the name of an interface after \"dev\"")
      }
      device = name
    case "metric" where metric == nil:
      guard let number = DecimalNumber.parse(value, upTo: UInt64(UInt32.max)) else {
        throw RouteSyntaxError(expectation: "a number up to 4294967295 after \"metric\"")
      }
      metric = UInt32(number)
    default: throw RouteSyntaxError(expectation: Self.expectation)
    }
  }

  private static func destination(_ text: Substring, family: Family) throws(RouteSyntaxError) -> Prefix {
    if text == "default", let all = Prefix(.any(family), 0) { return all }
    guard let prefix = Prefix(text) ?? IPAddress(text).map(Prefix.init(host:)) else {
      throw RouteSyntaxError(expectation: "\"default\", an address or a prefix as the destination")
    }
    guard prefix == prefix.network else {
      throw RouteSyntaxError(expectation: "a destination without host bits, such as \(prefix.network)")
    }
    return prefix
  }
}

/// What the text of a route lacks.
struct RouteSyntaxError: Error { let expectation: String }
