internal import WireCore

/// The value of `wirehook.network`: `front,storage:san0,bridge:br3`.
enum NetworkList {
  static let expectation = "NETWORK, bridge:NAME or ovs:NAME, each perhaps with :IFNAME"
  /// The most interfaces that one container gets.
  static let limit = 32

  static func parse(_ text: AnnotationText) throws(WireError) -> [InterfaceRequest] {
    var result: [InterfaceRequest] = []
    for entry in try text.entries(expectation) {
      guard result.count < limit else { throw text.refused("expected at most \(limit) networks") }
      let (network, name) = try read(entry)
      let automatic = try automaticName(result.count)
      let interface = InterfaceRequest(network: network, name: name ?? automatic)
      for earlier in result {
        guard earlier.network != network else { throw text.refused("network \(network) is named twice") }
        guard earlier.name != interface.name else {
          throw text.refused("interface \(interface.name) is named twice", hint: "name it as NETWORK:IFNAME")
        }
      }
      result.append(interface)
    }
    return result
  }

  /// `eth0` and so on.
  static func automaticName(_ index: Int) throws(WireError) -> InterfaceName {
    guard let name = InterfaceName("eth\(index)") else {
      throw WireError("interface \(index)", "no name is left for it")
    }
    return name
  }

  private static func read(_ entry: AnnotationText) throws(WireError) -> (NetworkReference, InterfaceName?) {
    var parts = entry.value.pieces(at: UInt8(ascii: ":"))[...]
    let network: NetworkReference
    switch parts.popFirst() {
    case "bridge":
      network = .bridge(try bridge(parts.popFirst(), entry))
    case "ovs":
      network = .ovs(try bridge(parts.popFirst(), entry))
    case "none": throw entry.expected("\"none\" to stand alone")
    case let name?:
      guard NetworkName.isValid(name) else { throw entry.expected("a network's name: \(NetworkName.expectation)") }
      network = .named(String(name))
    case nil: throw entry.expected(expectation)
    }
    guard let name = parts.popFirst() else { return (network, nil) }
    guard parts.isEmpty else { throw entry.expected(expectation) }
    return (network, try ContainerInterface.name(name, entry))
  }

  private static func bridge(_ name: Substring?, _ entry: AnnotationText) throws(WireError) -> InterfaceName {
    guard let name, let result = LinkName.parse(name) else {
      throw entry.expected("the name of a bridge after the \":\", \(InterfaceName.expectation)")
    }
    return result
  }
}

/// The names that networks may have: they stand in file names, annotations and host links.
package enum NetworkName {
  package static let expectation = "1 to 64 letters, digits, \"_\", \".\" or \"-\", beginning with a letter or digit"

  /// `none`, `bridge` and `ovs` mean something else in `wirehook.network`.
  package static func isValid(_ text: some StringProtocol) -> Bool {
    let utf8 = text.utf8
    guard (1...64).contains(utf8.count), let first = utf8.first, isAlphanumeric(first) else { return false }
    return utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
      && !["none", "bridge", "ovs"].contains(text)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}

/// Names of links that are asked for.
enum LinkName {
  static func parse(_ text: Substring) -> InterfaceName? { parse(String(text)) }

  /// The kernel takes `%` for a pattern that it completes (`dev_alloc_name` in net/core/dev.c).
  static func parse(_ text: String) -> InterfaceName? {
    text.utf8.contains(UInt8(ascii: "%")) ? nil : InterfaceName(text)
  }
}

/// Names of links inside a container.
enum ContainerInterface {
  static func name(_ text: Substring, _ entry: AnnotationText) throws(WireError) -> InterfaceName {
    guard let name = LinkName.parse(text) else {
      throw entry.expected("an interface's name: \(InterfaceName.expectation)")
    }
    // `all` and `default` are directories beside the links' in /proc/sys/net; a number means a port in wirehook.allow.
    guard !["lo", "all", "default"].contains(name.description), !text.isDigits
    else {
      throw entry.refused("interface \(name) cannot be named so", hint: "choose another name, such as eth1")
    }
    return name
  }
}
