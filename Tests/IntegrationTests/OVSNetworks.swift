import Foundation
import Support
import Testing

/// Suites of Open vSwitch: root, and its programs. Without the kernel's module the bridges are in userspace.
let needsOVS = ConditionTrait.enabled(
  if: Tool.root.isThere && Tool.ovs.isThere, "needs root and Open vSwitch")

extension RealSwitch {
  /// The text of a network's file on the OVS bridge `br1`; `more`: members beside these.
  static func members(subnet: String = "100.1.1.0/24", gateway: String = "100.1.1.254", _ more: String = "") -> String {
    #"{"driver": "ovs", "bridge": "br1", "subnets": [{"subnet": "\#(subnet)", "gateway": "\#(gateway)"}]"#
      + (more.isEmpty ? "}" : ", \(more)}")
  }

  /// Writes `ovsnet`, which is the host's default network from then on.
  func writeNetwork(
    subnet: String = "100.1.1.0/24", gateway: String = "100.1.1.254", _ more: String = ""
  ) throws {
    try host.writeNetwork("ovsnet", Self.members(subnet: subnet, gateway: gateway, more))
    try writeMain()
  }

  /// The main file, with the database and the default network `ovsnet`.
  func writeMain(_ keys: [String: JSON] = [:]) throws {
    try host.writeMain(main.merging(["default_network": .text("ovsnet")]) { $1 }.merging(keys) { $1 })
  }

  /// A host whose default network `ovsnet` is on the OVS bridge `br1`, which is not there yet.
  static func withNetwork(_ more: String = "", _ body: (Sandbox, RealSwitch) throws -> Void) throws {
    try with { host, ovs in
      try ovs.writeNetwork(more)
      try body(host, ovs)
    }
  }

  /// The ports in the database that say that they are this container's.
  func ports(ofContainer id: String) throws -> [JSON] { try rows("Port", "external_ids:wirehook-container=\(id)") }

  /// The host end of a container's interface: the name of its port.
  func hostEnd(of id: String, _ interface: String = "eth0") throws -> String {
    let port = try ports(ofContainer: id).first { $0["external_ids"]["wirehook-interface"].string == interface }
    return try #require(port?["name"].string, "no port of \(id)")
  }

  /// What `make` made is taken back: runs it once, and returns how database and host look then.
  func look() throws -> (host: Snapshot, database: Set<String>) { (try host.snapshot(), try configuration()) }
}

/// Expects that host and database look as they did, once kernel and daemon are done; says what differs.
func expectUnchanged(
  _ ovs: RealSwitch, since before: (host: Snapshot, database: Set<String>), _ comment: String = "",
  at location: SourceLocation = #_sourceLocation
) throws {
  var rows: Set<String> = []
  _ = try eventually(within: .seconds(10)) {
    rows = try ovs.configuration()
    return rows == before.database
  }
  #expect(rows.subtracting(before.database).sorted() == [], "too much; \(comment)", sourceLocation: location)
  #expect(before.database.subtracting(rows).sorted() == [], "missing; \(comment)", sourceLocation: location)
  let differences = try ovs.host.differences(from: before.host)
  #expect(differences == [], "\(comment)", sourceLocation: location)
}

/// Expects that the attach is refused with one line that names `parts`, that the container has no link, and that host and
/// database are as they were.
func expectRefused(
  _ ovs: RealSwitch, _ container: Container, _ annotations: [String: String] = [:], naming parts: [String],
  within limit: Duration = .seconds(8), at location: SourceLocation = #_sourceLocation
) throws {
  let before = try ovs.look()
  let result = try ovs.host.tryAttach(container, annotations)
  expectOneErrorLine(result, naming: parts, at: location)
  #expect(result.duration < limit, sourceLocation: location)
  let inside = try container.links()
  #expect(inside == ["lo"], sourceLocation: location)
  try expectUnchanged(ovs, since: before, at: location)
}
