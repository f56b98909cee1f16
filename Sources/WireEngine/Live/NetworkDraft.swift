package import WireConfig
package import WireCore
package import WireJSON

/// A network's file as `wirehook network create` is asked for it: words of a person, which the file's own parser judges.
package struct NetworkDraft: Sendable {
  package var name: String
  package var driver = Network.Driver.bridge
  package var bridge: String?
  package var subnets: [String] = []
  package var gateways: [String] = []
  package var mtu: Int64?
  package var vlan: String?
  package var isInternal = false
  /// `networks`, `containers` or `false`.
  package var isolate: String?
  package var masquerades = true
  package var vxlan: Tunnel?

  /// Tunnels to other hosts.
  package struct Tunnel: Sendable {
    /// nil: the flows of Open vSwitch give it.
    package var id: Int64?
    package var local: String?
    package var remotes: [String]

    package init(id: Int64?, local: String?, remotes: [String]) {
      self.id = id
      self.local = local
      self.remotes = remotes
    }
  }

  package init(name: String) { self.name = name }

  package var file: String { "networks.d/\(name).json" }
}

extension NetworkDraft {
  /// The file's contents; only what differs from a file's own defaults.
  package func json() throws(WireError) -> JSONValue {
    var members: [JSONValue.Member] = [.init("name", .string(name)), .init("driver", .string(driver.rawValue))]
    if let bridge { members.append(.init("bridge", .string(bridge))) }
    members.append(.init("subnets", .array(try subnetObjects())))
    if !masquerades { members.append(.init("masquerade", .bool(false))) }
    if isInternal { members.append(.init("internal", .bool(true))) }
    if let isolate { members.append(.init("isolate", isolate == "false" ? .bool(false) : .string(isolate))) }
    if let mtu { members.append(.init("mtu", .integer(mtu))) }
    if let vlan { members.append(.init("vlan", Int64(vlan).map { .integer($0) } ?? .string(vlan))) }
    if let vxlan { members.append(.init("vxlan", vxlan.json)) }
    return .object(members)
  }

  /// Each gateway goes to the subnet that holds it.
  private func subnetObjects() throws(WireError) -> [JSONValue] {
    var rest = gateways
    let objects = subnets.map { text in
      var members: [JSONValue.Member] = [.init("subnet", .string(text))]
      let prefix = Prefix(text)
      if let index = rest.firstIndex(where: { gateway in IPAddress(gateway).flatMap { prefix?.contains($0) } ?? false })
      {
        members.append(.init("gateway", .string(rest.remove(at: index))))
      }
      return JSONValue.object(members)
    }
    guard let stray = rest.first else { return objects }
    throw WireError(
      "gateway \(stray.quoted)", "it is no address in a subnet of its own of network \(name)",
      hint: "give --subnet with it; one gateway a subnet")
  }
}

extension NetworkDraft.Tunnel {
  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [id.map { .init("id", .integer($0)) } ?? .init("key", .string("flow"))]
    if let local { members.append(.init("local", .string(local))) }
    members.append(.init("remotes", .array(remotes.map { .string($0) })))
    return .object(members)
  }
}
