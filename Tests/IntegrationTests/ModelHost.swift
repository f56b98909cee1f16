import Foundation
import Support

/// A host with a bridge network and one on Open vSwitch, beside a model of it: which container should have what.
final class ModelHost: @unchecked Sendable {
  /// What a wired container has.
  struct Wired: Hashable, Sendable, CustomStringConvertible {
    let network: String
    /// The host's ports that lead to it.
    var ports: Set<Int>

    init(network: String, ports: Set<Int>) {
      self.network = network
      self.ports = ports
    }

    init(network: String, port: Int) { self.init(network: network, ports: [port]) }

    fileprivate var sortedPorts: [Int] { ports.sorted() }
    var description: String { "\(network) \(sortedPorts.map(String.init).joined(separator: ","))" }
  }

  static let networks = Tool.ovs.isThere ? ["front", "ovsnet"] : ["front"]

  let host: Sandbox
  private let ovs: RealSwitch?

  /// Both networks stand, empty.
  static func with(_ body: (ModelHost) throws -> Void) throws {
    guard Tool.ovs.isThere else {
      return try Sandbox.with { sandbox in
        let host = ModelHost(sandbox, nil)
        try host.warmUp()
        try body(host)
      }
    }
    try RealSwitch.with { host, ovs in
      try ovs.writeNetwork(subnet: "100.1.0.0/16", gateway: "100.1.255.254")
      try host.writeNetwork(
        "front", #"{"driver": "bridge", "bridge": "wh-front", "subnets": [{"subnet": "10.210.0.0/16"}]}"#)
      let model = ModelHost(host, ovs)
      try model.warmUp()
      try body(model)
    }
  }

  /// Everything that networks have for themselves is there afterwards: a table that nobody needs is not put back.
  func warmUp() throws {
    for network in Self.networks { try host.warmUp(["wirehook.network": network, "wirehook.ports": "7999:80"]) }
  }

  private init(_ host: Sandbox, _ ovs: RealSwitch?) {
    self.host = host
    self.ovs = ovs
  }

  /// Gives each hook so much time.
  func allow(milliseconds: Int) throws {
    let keys: [String: JSON] = ["timeout_ms": .number(Double(milliseconds))]
    if let ovs { try ovs.writeMain(keys) } else { try host.writeMain(keys) }
  }

  static func annotations(_ wired: Wired) -> [String: String] {
    [
      "wirehook.network": wired.network,
      "wirehook.ports": wired.sortedPorts.map { "\($0):80" }.joined(separator: ","),
    ]
  }

  /// Links, rules, records, OVS.
  func look() throws -> Set<String> { try host.snapshot().lines.union(ovs?.configuration() ?? []) }

  /// What differs from `before` once kernel and daemon are done.
  func differences(from before: Set<String>) throws -> [String] {
    var now: Set<String> = []
    _ = try eventually(within: .seconds(6)) {
      now = try look()
      return now == before
    }
    return now.subtracting(before).map { "+ \($0)" }.sorted() + before.subtracting(now).map { "- \($0)" }.sorted()
  }

  /// Where records, kernel, firewall, switch, and the command line's own check differ from the model; nothing: nowhere.
  func differences(from model: [String: Wired]) throws -> [String] {
    var found: [String] = []
    func compare(_ what: String, _ actual: [String], _ expected: [String]) {
      let (actual, expected) = (actual.sorted(), expected.sorted())
      if actual != expected { found.append("\(what): \(actual), but the model says \(expected)") }
    }
    let records = try host.list()
    compare(
      "records", records.map { "\($0["id"].string ?? "") \(Self.recorded($0).map(String.init(describing:)) ?? "")" },
      model.map { "\($0.key) \($0.value)" })
    let addresses = records.compactMap { $0["interfaces"][0]["addresses"][0].string }
    compare("addresses given once", Array(Set(addresses)), addresses)
    compare("links", try linkOwners(), Array(model.keys))
    compare("ports in nf_tables", try publishedPorts(), model.values.flatMap { $0.ports.map(String.init) })
    let inSwitch = try ovs?.rows("Port").compactMap { $0["external_ids"]["wirehook-container"].string } ?? []
    compare("ports of Open vSwitch", inSwitch, model.filter { $0.value.network == "ovsnet" }.map(\.key))
    let checked = try host.wirehook("check")
    if checked.exitCode != 0 { found.append("wirehook check: \(checked.stdout)") }
    return found
  }

  /// What a record of `wirehook ls --json` says that its container has.
  static func recorded(_ record: JSON) -> Wired? {
    guard let network = record["interfaces"][0]["network"].string else { return nil }
    return Wired(network: network, ports: Set(record["ports"].array.compactMap { $0["hostPort"].int }))
  }

  /// Whose the host ends of pairs are, by their alias.
  private func linkOwners() throws -> [String] {
    let prefix = "wirehook: eth0 of "
    return try host.json("link show").array.compactMap { link in
      link["ifalias"].string.flatMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    }
  }

  private func publishedPorts() throws -> [String] {
    let table = try JSON(parsing: host.sh("nft -j list map inet wirehook ports4"))["nftables"].array
    return table.flatMap { $0["map"]["elem"].array }.map { $0[0]["concat"][1].text }
  }
}
