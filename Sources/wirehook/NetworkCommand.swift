import ArgumentParser
import WireConfig
import WireCore
import WireEngine
import WireJSON
import WirePlan

struct NetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network", abstract: "See, make and remove the networks of this host.",
    discussion: """
      Examples:
        wirehook network ls               every network that is configured or in use
        wirehook network inspect front    its bridge, ports, tunnels and containers
        wirehook network create back      a new one, on free subnets
        wirehook network rm back          and away with it
      """,
    subcommands: [
      NetworkListCommand.self, NetworkInspectCommand.self, NetworkCreateCommand.self, NetworkRemoveCommand.self,
    ])
}

struct NetworkListCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the networks that are configured, or were set up on the spot.",
    discussion: """
      Examples:
        wirehook network ls
        wirehook network ls --json
      """,
    aliases: ["list"])

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions

  func perform() throws {
    let reports = try NetworkReport.all(on: shared.host())
    if listing.json { return Output.json(.array(reports.map { NetworkListing(report: $0).json })) }
    Output.table(
      ["NETWORK", "DRIVER", "BRIDGE", "VLAN", "SUBNETS", "CONTAINERS", "STATE"],
      reports.map { report in
        let setup = report.setup
        return [
          report.name, setup.driver.rawValue, setup.bridge.description, setup.vlan.map { "\($0)" } ?? "-",
          setup.subnets.map { $0.description }.joined(separator: ","), "\(report.containers.count)",
          report.stands ? "up" : "not set up",
        ]
      })
  }
}

struct NetworkInspectCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show a network's bridge, ports with their owners, tunnels and containers.",
    discussion: """
      Examples:
        wirehook network inspect front
        wirehook network inspect ovs:br1 --json
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(help: "The network's name, or bridge:NAME or ovs:NAME.", completion: Completions.networks)
  var name: String

  func perform() throws {
    let report = try NetworkReport.of(name, on: shared.host())
    let view = NetworkListing(report: report)
    if listing.json { return Output.json(view.json) }
    Output.table(["KEY", "VALUE"], view.rows)
    if !report.ports.isEmpty {
      print("")
      Output.table(
        ["PORT", "OWNER", "VLAN", "STATE"],
        report.ports.map { [$0.name, $0.owner, $0.vlan.map { "\($0)" } ?? "-", $0.state] })
    }
    if !report.tunnels.isEmpty {
      print("")
      Output.table(
        ["TUNNEL", "REMOTE", "KEY", "STATE", "MADE BY"],
        report.tunnels.map { [$0.name, $0.remote, $0.key, $0.state, $0.isForeign ? "somebody else" : "wirehook"] })
    }
  }
}

/// One network, in the form that `network ls` and `network inspect` print it.
struct NetworkListing {
  let report: NetworkReport

  private var setup: NetworkSetup { report.setup }

  var rows: [[String]] {
    var rows = [
      ["name", report.name], ["driver", setup.driver.rawValue], ["bridge", setup.bridge.description],
      ["state", report.stands ? "up" : "not set up"],
    ]
    if let database = setup.database { rows.append(["database", database.description]) }
    if let datapath = report.datapath { rows.append(["datapath", datapath]) }
    if setup.link != setup.bridge { rows.append(["gateway link", setup.link.description]) }
    if let vlan = setup.vlan { rows.append(["vlan", "\(vlan)"]) }
    for subnet in setup.subnets { rows.append(["subnet", subnet.description]) }
    for gateway in setup.addresses { rows.append(["gateway", gateway.address.description]) }
    for subnet in setup.masquerade { rows.append(["masquerade", subnet.description]) }
    for entry in report.containers {
      let addresses = entry.interface.addresses.map { $0.description }.joined(separator: " ")
      rows.append(["container", "\(entry.container.owner) \(entry.interface.name) \(addresses)"])
    }
    return rows
  }

  var json: JSONValue {
    .object([
      .init("name", .string(report.name)), .init("driver", .string(setup.driver.rawValue)),
      .init("bridge", .string(setup.bridge.description)), .init("link", .string(setup.link.description)),
      .init("up", .bool(report.stands)), .init("managed", .bool(setup.managed)),
      .init("database", setup.database.map { .string($0.description) } ?? .null),
      .init("datapath", report.datapath.map { .string($0) } ?? .null),
      .init("vlan", setup.vlan.map { .integer(Int64($0)) } ?? .null),
      .init("subnets", .array(setup.subnets.map { .string($0.description) })),
      .init("gateways", .array(setup.addresses.map { .string($0.address.description) })),
      .init("masquerade", .array(setup.masquerade.map { .string($0.description) })),
      .init("internal", .bool(setup.isInternal)),
      .init("containers", .array(report.containers.map { container($0.container, $0.interface) })),
      .init("ports", .array(report.ports.map { port($0) })),
      .init("tunnels", .array(report.tunnels.map { tunnel($0) })),
    ])
  }

  private func container(_ container: ContainerIdentity, _ interface: AttachedInterface) -> JSONValue {
    .object([
      .init("id", .string(container.id)), .init("name", .string(container.owner)),
      .init("interface", .string(interface.name.description)), .init("host", .string(interface.hostLink.description)),
      .init("addresses", .array(interface.addresses.map { .string($0.description) })),
    ])
  }

  private func port(_ port: NetworkReport.Port) -> JSONValue {
    .object([
      .init("name", .string(port.name)), .init("owner", .string(port.owner)),
      .init("vlan", port.vlan.map { .string($0.description) } ?? .null), .init("state", .string(port.state)),
    ])
  }

  private func tunnel(_ tunnel: NetworkReport.Tunnel) -> JSONValue {
    .object([
      .init("name", .string(tunnel.name)), .init("remote", .string(tunnel.remote)), .init("key", .string(tunnel.key)),
      .init("state", .string(tunnel.state)), .init("foreign", .bool(tunnel.isForeign)),
    ])
  }
}
