import WireConfig
import WireCore
import WireLinux
import WireNFTables
import WireNetlink
import WirePlan
import WireState

/// Compares what a network's containers share with the kernel.
struct NetworkCheck {
  let setup: NetworkSetup
  let marker: NetworkMarker

  init(_ setup: NetworkSetup, _ marker: NetworkMarker) {
    self.setup = setup
    self.marker = marker
  }

  func differences(on host: borrowing Host) throws(WireError) -> [Difference] {
    var texts: [String] = []
    do throws(NetlinkError) {
      texts += try bridge(on: host)
    } catch {
      throw Hints.explain(error, while: "looking at network \(setup.network)")
    }
    for family in setup.families where setup.managed && !isForwarding(family) {
      texts.append("\(family.name) forwarding is off")
    }
    let firewall = try Firewall()
    if try !firewall.isIntact(on: host) { texts.append("the firewall table inet wirehook is gone or was changed") }
    if try !firewall.isAdmittedBesideDocker(setup.bridge, until: host.deadline) {
      texts.append("chain DOCKER-USER does not accept bridge \(setup.bridge), and Docker drops what it does not know")
    }
    for element in try firewall.missing(of: Elements.of(setup), on: host) {
      texts.append("element \(element) of inet wirehook \(element.set.rawValue) is missing")
    }
    return texts.map { Difference(subject: "network \(setup.network)", text: $0) }
  }

  private func bridge(on host: borrowing Host) throws(NetlinkError) -> [String] {
    guard let link = try host.route.link(.name(setup.bridge), until: host.deadline) else {
      return ["bridge \(setup.bridge) is gone"]
    }
    var texts: [String] = []
    if Int32(truncatingIfNeeded: link.index) != marker.bridgeIndex {
      texts.append("bridge \(setup.bridge) is another one than was set up")
    }
    guard setup.managed else { return texts }
    if !link.isUp { texts.append("bridge \(setup.bridge) is down") }
    let present = try host.route.addresses(of: link.index, until: host.deadline).map { $0.prefix }
    for address in setup.addresses where !present.contains(address) {
      texts.append("address \(address) of bridge \(setup.bridge) is missing")
    }
    return texts
  }

  /// A setting that cannot be read is not called off.
  private func isForwarding(_ family: Family) -> Bool {
    let setting =
      family == .ipv4 ? Sysctl("net", "ipv4", "ip_forward") : Sysctl("net", "ipv6", "conf", "all", "forwarding")
    do throws(SystemError) { return try setting.read() != "0" } catch { return true }
  }
}
