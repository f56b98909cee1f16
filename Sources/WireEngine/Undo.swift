package import WireCore
import WireLinux
import WireNFTables
import WireNetlink
package import WirePlan

/// Takes back what an attachment has on the host. What is in the container goes with the pair.
///
/// A failed attach, a detach and a clean-up all come here. What is gone already is fine, so it may run twice, or after a
/// crash at any point.
package enum Undo {
  /// Takes back all of it: ports first, so that nobody is sent to a link that is going. Goes on after an error, and
  /// throws the first one.
  ///
  /// `isInhabited`: the container runs. What it sends is judged to the end then; else ovs-vswitchd is asked before it has
  /// ports to take down, and nobody waits for that.
  package static func takeBack(
    _ attachment: Attachment, isInhabited: Bool, on host: borrowing Host
  ) throws(WireError) {
    var failure: WireError?
    if !isInhabited {
      do throws(WireError) { try SwitchSenders.remove(attachment, on: host) } catch { failure = error }
    }
    do throws(WireError) { try takeBackAllElse(attachment, on: host) } catch { failure = failure ?? error }
    if isInhabited {
      do throws(WireError) { try SwitchSenders.remove(attachment, on: host) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  private static func takeBackAllElse(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    let steps = Step.all(of: attachment)
    let own = attachment.isWiredByOthers ? [] : attachment.interfaces
    let links = own.flatMap { [$0.hostLink] + ($0.shaper.map { [$0] } ?? []) }
    let part = FirewallPart(steps)
    var failure: WireError?
    do throws(WireError) { try SwitchPorts.remove(attachment, on: host) } catch { failure = error }
    guard !part.isEmpty else {
      _ = try removeOwn(links, on: host)
      if let failure { throw failure }
      return
    }
    let firewall = try Firewall()
    do throws(WireError) {
      try firewall.remove(part, on: host)
      try Flows.forget(steps, until: host.deadline)
    } catch {
      failure = failure ?? error
    }
    do throws(WireError) { try Publishing.dropAccepts(of: attachment, firewall, on: host) } catch {
      failure = failure ?? error
    }
    do throws(WireError) { _ = try removeOwn(links, holding: firewall.descriptor, on: host) } catch {
      failure = failure ?? error
    }
    if let failure { throw failure }
  }

  /// Removes those of the links that are there and say by their alias that they are ours; the count of them.
  /// `holding` is an open nf_tables socket, which is closed without waiting (`NetlinkSocket.remove`).
  package static func removeOwn(
    _ names: [InterfaceName], holding socket: Int32? = nil, on host: borrowing Host
  ) throws(WireError) -> Int {
    do throws(NetlinkError) {
      var own: [InterfaceName] = []
      for name in names {
        let link = try host.route.link(.name(name), until: host.deadline)
        if let alias = link?.alias, LinkNames.isContainers(alias: alias) { own.append(name) }
      }
      try host.route.remove(own, holding: socket, until: host.deadline)
      return own.count
    } catch {
      throw Hints.explain(error, while: "removing links \(names.map { $0.description }.joined(separator: ", "))")
    }
  }
}
