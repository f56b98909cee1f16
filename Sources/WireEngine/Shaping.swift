import WireCore
import WireNetlink
import WirePlan

/// Limits of what a container receives and sends.
struct Shaping {
  let what: String
  let failAt: Int?

  func apply(_ steps: [NumberedStep], on host: borrowing Host) throws(WireError) {
    guard !steps.isEmpty else { return }
    do throws(NetlinkError) {
      for numbered in steps {
        let (index, step) = (numbered.index, numbered.step)
        var batch = Batch()
        if index == failAt { batch.deleteLink(.index(UInt32(Int32.max))) }
        switch step {
        case .ingressLimit(let link, let rate):
          guard let port = try host.route.link(.name(link), until: host.deadline) else { continue }
          batch.addTokenBucket(TokenBucket(rate: rate, mtu: port.mtu), on: port.index)
        case .egressLimit(let link, let shaper, let rate):
          try makeShaper(shaper, of: link, on: host)
          guard let port = try host.route.link(.name(link), until: host.deadline),
            let block = host.route.index(of: shaper)
          else { continue }
          batch.addTokenBucket(TokenBucket(rate: rate, mtu: port.mtu), on: block)
          batch.redirectIngress(of: port.index, to: block)
        default: continue
        }
        try host.route.send(batch, until: host.deadline)
      }
    } catch {
      throw Hints.explain(error, while: "\(what): limiting its bandwidth")
    }
  }

  private func makeShaper(
    _ shaper: InterfaceName, of link: InterfaceName, on host: borrowing Host
  ) throws(NetlinkError) {
    var batch = Batch()
    var settings = LinkSettings(isUp: true, alias: LinkNames.alias(shaperOf: link))
    settings.makesLinkLocal = false
    batch.createIFB(shaper, settings)
    try host.route.send(batch, until: host.deadline)
  }
}
