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
      texts += try GatewayLink.differences(of: setup, marker.bridgeIndex, on: host)
    } catch {
      throw Hints.explain(error, while: "looking at network \(setup.network)")
    }
    if setup.managed { texts += try setup.driver.driver.differences(of: setup, on: host) }
    for family in setup.families where setup.managed && !isForwarding(family) {
      texts.append("\(family.name) forwarding is off")
    }
    let firewall = try Firewall()
    texts += try firewall.damaged(on: host).map { "the firewall table \($0) is gone or was changed" }
    if !setup.isForPublishing, try !firewall.isAdmittedBesideDocker(setup.link, until: host.deadline) {
      texts.append("chain DOCKER-USER does not accept bridge \(setup.link), and Docker drops what it does not know")
    }
    texts += try firewall.missing(of: FirewallPart(setup), on: host)
    for drop in try ForeignFirewalls.findings([setup], on: host) where drop.isCertain {
      texts.append("\(drop.text): \(drop.command)")
    }
    return texts.map { Difference(subject: "network \(setup.network)", text: $0) }
  }

  /// A setting that cannot be read is not called off.
  private func isForwarding(_ family: Family) -> Bool {
    let setting =
      family == .ipv4 ? Sysctl("net", "ipv4", "ip_forward") : Sysctl("net", "ipv6", "conf", "all", "forwarding")
    do throws(SystemError) { return try setting.read() != "0" } catch { return true }
  }
}
