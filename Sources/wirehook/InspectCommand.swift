import ArgumentParser
import WireCore
import WireEngine
import WireJSON
import WirePlan

struct InspectCommand: WirehookSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show everything that is recorded of one container.")

  @OptionGroup var shared: SharedOptions
  @OptionGroup var listing: ListingOptions
  @Argument(help: "The container's id, the beginning of it, or its name.") var id: String

  func perform() throws {
    let container = try Inventory.find(id, shared.load())
    let view = Listing(container: container)
    if listing.json { return Output.json(view.json) }
    let identity = container.attachment.container
    var rows = [["id", identity.id], ["name", identity.owner], ["status", container.status.rawValue]]
    rows += [["pid", "\(container.pid)"], ["netns", "net:[\(container.netns)]"], ["runtime", container.runtime]]
    rows.append(["bundle", container.bundle])
    for interface in container.attachment.interfaces { rows += Self.rows(interface) }
    for port in view.portTexts { rows.append(["port", port]) }
    Output.table(["KEY", "VALUE"], rows)
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
