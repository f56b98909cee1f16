internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

/// What the kernel is asked before it decides on a packet's way.
package struct RouteQuestion: Sendable, Hashable {
  package var destination: IPAddress
  /// The packet's source; nil: whatever the kernel chooses.
  package var source: IPAddress?
  /// The link that the packet has come in by; nil for one of this host's own.
  package var input: UInt32?

  package init(to destination: IPAddress, from source: IPAddress? = nil, input: UInt32? = nil) {
    self.destination = destination
    self.source = source
    self.input = input
  }
}

/// The way that the kernel chooses.
package struct RouteChoice: Sendable, Hashable {
  /// What becomes of the packet: the link and gateway that it leaves by, and the source that it gets.
  package var way: Route
  /// The route of a table that decided it, as somebody wrote it; nil where the kernel does not say.
  package var match: Route?

  package init(way: Route, match: Route?) {
    self.way = way
    self.match = match
  }
}

/// An answer to such a question.
package enum RouteAnswer: Sendable, Hashable {
  case found(RouteChoice)
  /// The errno of a refusal: `ENETUNREACH` no route, `EHOSTUNREACH` unreachable, `EXDEV` the reverse path filter.
  case refused(Int32)
}

extension NetlinkSocket {
  /// Which way a packet would go. As `ip route get ADDRESS from SOURCE iif LINK`, and again with `fibmatch`.
  package func lookUp(_ question: RouteQuestion, until deadline: Deadline) throws(NetlinkError) -> RouteAnswer {
    let way: Route?
    do throws(NetlinkError) {
      way = try lookUp(question, flags: 0, until: deadline)
    } catch {
      guard case .refused(let refusal) = error, refusal.errno != EPERM else { throw error }
      return .refused(refusal.errno)
    }
    guard let way else { return .refused(EINVAL) }
    var match: Route?
    do throws(NetlinkError) {
      match = try lookUp(question, flags: UInt32(RTM_F_FIB_MATCH), until: deadline)
    } catch {
      // Kernels before 4.13 do not say.
      guard case .refused = error else { throw error }
    }
    return .found(RouteChoice(way: way, match: match))
  }

  private func lookUp(
    _ question: RouteQuestion, flags: UInt32, until deadline: Deadline
  ) throws(NetlinkError) -> Route? {
    let family = question.destination.family
    var header = rtmsg()
    header.rtm_family = family.number
    header.rtm_dst_len = UInt8(family.bitCount)
    header.rtm_src_len = question.source == nil ? 0 : UInt8(family.bitCount)
    // IPv6 always says the table, and refuses to be asked for it.
    header.rtm_flags = flags | (family == .ipv4 ? UInt32(RTM_F_LOOKUP_TABLE) : 0)
    var batch = Batch()
    batch.append(RTM_GETROUTE, header) { message in
      message.put(Int(RTA_DST.rawValue), question.destination)
      if let source = question.source { message.put(Int(RTA_SRC.rawValue), source) }
      if let input = question.input { message.put(Int(RTA_IIF.rawValue), input) }
    }
    return try ask(batch, absent: [], until: deadline) { (message) throws(NetlinkError) in
      try Route(message: message)
    }.flatMap { $0 }
  }
}
