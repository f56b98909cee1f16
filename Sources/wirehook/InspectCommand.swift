import ArgumentParser
import WireCore
import WireEngine
import WireJSON
import WirePlan
import WireView

struct InspectCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show everything that is recorded of one container.",
    discussion: """
      Examples:
        wirehook inspect web
        wirehook inspect web --format '{{.IP}}'
        wirehook inspect 4f1c --json

      The placeholders of --format are those of wirehook ls.
      """)

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var display: DisplayOptions
  @Option(name: .long, help: ArgumentHelp("One line, with placeholders.", valueName: "template"))
  var format: String?
  @Argument(help: "The container's id, the beginning of it, or its name.", completion: Completions.containers)
  var id: String

  func perform() throws {
    let container = try shared.find(id)
    let view = Listing(container: container)
    if listing.json { return Output.json(view.json) }
    if let format { return print(try RowTemplate(format, fields: Listing.fields).line(view.value)) }
    let identity = container.attachment.container
    var table = Table([.init("KEY", .left, .name), .init("VALUE", isCut: true)])
    var rows = [["id", identity.id], ["name", identity.owner], ["status", container.status.rawValue]]
    rows += [["pid", "\(container.pid)"], ["netns", "net:[\(container.netns)]"], ["runtime", container.runtime]]
    rows += [["bundle", container.bundle], ["attached at", Moment.text(container.created)]]
    for interface in container.attachment.interfaces { rows += Self.rows(interface) }
    for port in view.portRanges { rows.append(["port", port]) }
    for row in rows { table.add(row) }
    Output.table(table, display.style)
  }

  private static func rows(_ interface: AttachedInterface) -> [[String]] {
    let name = interface.name.description
    var rows = [[name, "on \(interface.network), host end \(interface.hostLink) of bridge \(interface.bridge)"]]
    rows.append(["\(name) mac", interface.mac.description])
    rows.append(["\(name) mtu", "\(interface.mtu)"])
    if let vlan = interface.vlan { rows.append(["\(name) vlan", "\(vlan)"]) }
    for address in interface.addresses { rows.append(["\(name) address", address.description]) }
    for gateway in interface.gateways {
      let isDefault = interface.defaultRoutes.contains(gateway.family)
      rows.append(["\(name) gateway", "\(gateway)\(isDefault ? " (default route)" : "")"])
    }
    for route in interface.routes {
      rows.append(["\(name) route", "\(route.destination)" + (route.via.map { " via \($0)" } ?? "")])
    }
    if let rate = interface.ingress { rows.append(["\(name) receives", "at most \(rate)"]) }
    if let rate = interface.egress { rows.append(["\(name) sends", "at most \(rate)"]) }
    return rows
  }
}
