internal import Glibc
import WireCore
import WireLinux
import WireNetlink
import WirePlan

/// The container's side: settings below /proc/sys, then links, addresses, routes and rules in one batch.
struct InsideContainer {
  let what: String
  let failAt: Int?

  /// Writes the settings. They must stand before a link comes up, and /proc/sys/net is that of the thread's namespace.
  func set(
    _ steps: [NumberedStep], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    guard !steps.isEmpty else { return }
    try side.namespace.run(
      backTo: host.namespace, mapping: { Hints.explain($0, while: "entering the container's network namespace") }
    ) { () throws(WireError) in
      for numbered in steps {
        let (index, step) = (numbered.index, numbered.step)
        if index == failAt { throw WireError(what, "step \(index) was told to fail") }
        guard case .setting(let path, let value, let required) = step else { continue }
        try write(path, value, required: required)
      }
    }
  }

  private func write(_ path: [String], _ value: String, required: Bool) throws(WireError) {
    do throws(SystemError) {
      try Sysctl(path: path).write(value)
    } catch {
      guard error.errno == ENOENT, !required else {
        let key = path.joined(separator: ".")
        let hint =
          error.errno == ENOENT
          ? "this kernel has no such setting in a container" : "expected a value that the kernel takes"
        throw WireError("annotation wirehook.sysctl \"\(key)=\(value)\"", error.description, hint: hint)
      }
    }
  }

  /// Sends everything else, and waits for the last acknowledgement.
  func configure(
    _ steps: [NumberedStep], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    var batch = Batch()
    for numbered in steps {
      let (index, step) = (numbered.index, numbered.step)
      if index == failAt { batch.deleteLink(.index(UInt32(Int32.max))) }
      try add(step, to: &batch, side)
    }
    try completeChecksums(steps.map { $0.step }, on: host, in: side)
    do throws(NetlinkError) {
      try side.route.send(batch, until: host.deadline)
    } catch {
      throw Hints.explain(error, while: what)
    }
  }

  /// Sends what `configure` sends, where some of it stands already.
  func restore(_ steps: [Step], on host: borrowing Host, in side: borrowing ContainerSide) throws(WireError) {
    var batch = Batch()
    for step in steps where step.place == .container { try add(step, to: &batch, side) }
    try completeChecksums(steps, on: host, in: side)
    do throws(NetlinkError) {
      for refusal in try side.route.attempt(batch, until: host.deadline) where refusal.errno != EEXIST {
        throw .refused(refusal)
      }
    } catch {
      throw Hints.explain(error, while: what)
    }
  }

  /// By a socket of its own kind, which must be opened in the container's namespace.
  private func completeChecksums(
    _ steps: [Step], on host: borrowing Host, in side: borrowing ContainerSide
  ) throws(WireError) {
    let links = steps.compactMap { step -> InterfaceName? in
      guard case .checksumsInSoftware(let link) = step else { return nil }
      return link
    }
    guard !links.isEmpty else { return }
    let what = "\(what): switching checksum offload off"
    let socket = try side.namespace.run(
      backTo: host.namespace, mapping: { Hints.explain($0, while: what) }
    ) { () throws(WireError) in
      do throws(SystemError) { return try NetlinkSocket(.generic) } catch { throw Hints.explain(error, while: what) }
    }
    do throws(NetlinkError) {
      for link in links { try socket.turnOffTXChecksumOffload(link, until: host.deadline) }
    } catch {
      throw Hints.explain(error, while: what)
    }
  }

  private func add(_ step: Step, to batch: inout Batch, _ side: borrowing ContainerSide) throws(WireError) {
    switch step {
    case .linkUp(let name): batch.setLink(.index(try index(name, side)), LinkSettings(isUp: true))
    case .ownEgressLimit(let name, let rate, let mtu):
      batch.addTokenBucket(TokenBucket(rate: rate, mtu: mtu), on: try index(name, side))
    case .address(let prefix, let name): batch.addAddress(Address(prefix, link: try index(name, side)))
    case .route(let step):
      var route = Route(step.family, to: step.destination, via: step.via, link: try index(step.link, side))
      if let metric = step.metric { route.metric = metric }
      if let table = step.table { route.table = table }
      route.isOnLink = step.onlink
      batch.addRoute(route)
    case .rule(let from, let table):
      batch.addRule(Rule(from.family, from: Prefix(host: from), table: table, priority: table))
    default: break
    }
  }

  private func index(_ name: InterfaceName, _ side: borrowing ContainerSide) throws(WireError) -> UInt32 {
    if name == LinkNames.loopback { return 1 }
    guard let index = side.route.index(of: name) else {
      throw WireError(what, "link \(name) is gone from the container's network namespace")
    }
    return index
  }
}
