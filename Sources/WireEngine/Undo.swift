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
  package static func takeBack(_ attachment: Attachment, on host: borrowing Host) throws(WireError) {
    let steps = Step.all(of: attachment)
    var failure: WireError?
    do throws(WireError) {
      let elements = Elements.of(steps)
      if !elements.isEmpty { try Firewall().remove(elements, on: host) }
      try Flows.forget(steps, until: host.deadline)
    } catch {
      failure = error
    }
    do throws(WireError) {
      let links = attachment.interfaces.flatMap { [$0.hostLink] + ($0.shaper.map { [$0] } ?? []) }
      _ = try removeOwn(links, on: host)
    } catch {
      failure = failure ?? error
    }
    if let failure { throw failure }
  }

  /// Removes those of the links that are there and say by their alias that they are ours; the count of them.
  package static func removeOwn(_ names: [InterfaceName], on host: borrowing Host) throws(WireError) -> Int {
    do throws(NetlinkError) {
      var own: [InterfaceName] = []
      for name in names {
        let link = try host.route.link(.name(name), until: host.deadline)
        if let alias = link?.alias, LinkNames.isContainers(alias: alias) { own.append(name) }
      }
      if !own.isEmpty { try host.route.remove(own, until: host.deadline) }
      return own.count
    } catch {
      throw Hints.explain(error, while: "removing links \(names.map { $0.description }.joined(separator: ", "))")
    }
  }
}
