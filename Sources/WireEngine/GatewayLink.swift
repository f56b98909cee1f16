internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// The host's own link on a managed network: the bridge, or the host's port on it. It has the gateways' addresses.
enum GatewayLink {
  /// Gives the link what the network needs, and answers its index. Every part of it may be there already.
  static func configure(_ setup: NetworkSetup, on host: borrowing Host) throws(WireError) -> UInt32 {
    do throws(NetlinkError) {
      guard let link = try host.route.link(.name(setup.link), until: host.deadline) else {
        throw NetlinkError.malformed("link \(setup.link) vanished while it was made")
      }
      for refusal in try host.route.attempt(batch(setup, link), until: host.deadline) where refusal.errno != EEXIST {
        throw .refused(refusal)
      }
      return link.index
    } catch {
      throw Hints.explain(error, while: "setting up network \(setup.network)")
    }
  }

  private static func batch(_ setup: NetworkSetup, _ link: Link) -> Batch {
    var batch = Batch()
    for address in setup.addresses { batch.addAddress(Address(address, link: link.index)) }
    var settings = LinkSettings(isUp: true)
    // 127.0.0.1:PORT of the host reaches a container; the guard chain keeps the neighbours out of 127.0.0.0/8.
    settings.ipv4 = [.routeLocalnet: 1]
    batch.setLink(.index(link.index), settings)
    if setup.families.contains(.ipv6) { batch.addRoute(loopbackAnswers(by: link.index)) }
    return batch
  }

  /// Answers to [::1]: IPv6 looks loopback addresses up strictly by device.
  private static func loopbackAnswers(by index: UInt32) -> Route {
    var answers = Route(.ipv6, to: Prefix(host: .loopback(.ipv6)), link: index)
    answers.kind = .local
    answers.table = Route.localTable
    // A route for each bridge: only a metric of its own tells them apart.
    answers.metric = 1024 &+ index
    return answers
  }

  /// Takes what a network that goes had on a link that stays. `others` are the networks that stay on the bridge. The
  /// addresses of a bridge that wirehook did not make stay too: nobody can tell who gave them.
  static func release(
    _ setup: NetworkSetup, besides others: [NetworkSetup], isOwn: Bool, on host: borrowing Host
  ) throws(WireError) {
    guard let index = host.route.index(of: setup.link) else { return }
    let sharing = others.filter { $0.link == setup.link }
    var batch = Batch()
    if isOwn {
      for address in setup.addresses where !sharing.contains(where: { $0.addresses.contains(address) }) {
        batch.deleteAddress(Address(address, link: index))
      }
    }
    if sharing.isEmpty {
      if setup.families.contains(.ipv6) { batch.deleteRoute(loopbackAnswers(by: index)) }
      var settings = LinkSettings()
      settings.ipv4 = [.routeLocalnet: 0]
      batch.setLink(.index(index), settings)
    }
    guard !batch.isEmpty else { return }
    do throws(NetlinkError) {
      for refusal in try host.route.attempt(batch, until: host.deadline)
      where refusal.errno != EADDRNOTAVAIL && refusal.errno != ESRCH {
        throw .refused(refusal)
      }
    } catch {
      throw Hints.explain(error, while: "taking network \(setup.network) off \(setup.link)")
    }
  }

  /// Before the link comes up: nobody's advertisement shall configure it, and its addresses are usable at once. A kernel
  /// without the settings has nothing to protect.
  static func quieten(_ link: InterfaceName) {
    for setting in ["accept_ra", "accept_dad"] {
      do throws(SystemError) { try Sysctl("net", "ipv6", "conf", link.description, setting).write("0") } catch {}
    }
  }

  /// What is not so of the link; `index`: that of the link that was set up.
  static func differences(
    of setup: NetworkSetup, _ index: Int32, on host: borrowing Host
  ) throws(NetlinkError) -> [String] {
    guard let link = try host.route.link(.name(setup.link), until: host.deadline) else {
      return ["bridge \(setup.link) is gone"]
    }
    var texts: [String] = []
    if Int32(truncatingIfNeeded: link.index) != index {
      texts.append("bridge \(setup.link) is another one than was set up")
    }
    guard setup.managed else { return texts }
    if !link.isUp { texts.append("bridge \(setup.link) is down") }
    let present = try host.route.addresses(of: link.index, until: host.deadline).map { $0.prefix }
    for address in setup.addresses where !present.contains(address) {
      texts.append("address \(address) of bridge \(setup.link) is missing")
    }
    return texts
  }
}
