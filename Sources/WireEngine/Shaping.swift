internal import Glibc
import WireCore
import WireLinux
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

  // MARK: Check and repair

  /// What is not so of a limit on the host; nil for other steps, and where all is well.
  static func difference(_ step: Step, on host: borrowing Host) throws(NetlinkError) -> String? {
    switch step {
    case .ingressLimit(let link, let rate):
      let holds = try holdsBack(link, to: rate, host.route, until: host.deadline)
      return holds ? nil : "host end \(link) does not hold what the container receives to \(rate)"
    case .egressLimit(let link, let shaper, let rate):
      guard let index = host.route.index(of: link), try holdsBack(shaper, to: rate, host.route, until: host.deadline),
        try host.route.qdiscs(of: index, until: host.deadline).contains(where: { $0.kind == "ingress" })
      else { return "host end \(link) does not hold what the container sends to \(rate)" }
      return nil
    default: return nil
    }
  }

  /// Whether what leaves by a link is held to a rate. The kernel keeps whole bytes.
  static func holdsBack(
    _ link: InterfaceName, to rate: Rate, _ socket: borrowing NetlinkSocket, until deadline: Deadline
  ) throws(NetlinkError) -> Bool {
    guard let index = socket.index(of: link) else { return false }
    return try socket.qdiscs(of: index, until: deadline).contains { qdisc in
      qdisc.isRoot && qdisc.kind == "tbf" && qdisc.rate?.bitsPerSecond == rate.bitsPerSecond / 8 * 8
    }
  }

  /// Makes the limits again of which something is not so. What is left of one goes first.
  func restore(_ steps: [Step], on host: borrowing Host) throws(WireError) {
    for (index, step) in steps.enumerated() where step.place == .shaping {
      do throws(NetlinkError) {
        guard try Self.difference(step, on: host) != nil else { continue }
        try clear(step, on: host)
      } catch {
        throw Hints.explain(error, while: "\(what): limiting its bandwidth")
      }
      try apply([NumberedStep(index: index, step: step)], on: host)
    }
  }

  private func clear(_ step: Step, on host: borrowing Host) throws(NetlinkError) {
    var batch = Batch()
    switch step {
    case .ingressLimit(let link, _):
      if let index = host.route.index(of: link) { batch.deleteTokenBucket(on: index) }
    case .egressLimit(let link, let shaper, _):
      if let index = host.route.index(of: link) { batch.deleteIngress(of: index) }
      if host.route.index(of: shaper) != nil { batch.deleteLink(.name(shaper)) }
    default: return
    }
    for refusal in try host.route.attempt(batch, until: host.deadline)
    where ![ENOENT, EINVAL, ENODEV].contains(refusal.errno) {
      throw .refused(refusal)
    }
  }
}
