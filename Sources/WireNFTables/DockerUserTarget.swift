internal import CNftnl
internal import Glibc
package import WireCore

/// Accepts in DOCKER-USER for a container on a bridge that is Docker's own: of what goes to the bridge only that which was
/// translated (published), and only to that container. The rest of the bridge stays as closed as Docker has it.
extension FirewallSocket {
  /// Makes sure of the accept, where the family has the chain. Idempotent.
  package borrowing func ensurePublishedAccept(
    _ target: IPAddress, bridge: InterfaceName, deadline: Int64
  ) throws(NFTablesError) {
    try changeUserRules(for: "accepting \(target) in DOCKER-USER", of: [target.family], deadline: deadline) { rules in
      guard !rules.contains(where: { $0.acceptsPublished(target, bridge) }) else { return [] }
      return [.insertPublished(bridge, target, before: rules.first { $0.returns }?.handle)]
    }
  }

  /// Takes it out again. Idempotent.
  package borrowing func removePublishedAccept(
    _ target: IPAddress, bridge: InterfaceName, deadline: Int64
  ) throws(NFTablesError) {
    try changeUserRules(for: "removing \(target) from DOCKER-USER", of: [target.family], deadline: deadline) { rules in
      rules.filter { $0.acceptsPublished(target, bridge) }.map { .delete(handle: $0.handle) }
    }
  }

  /// Whether it stands, or the family has no such chain.
  package borrowing func hasPublishedAccept(
    _ target: IPAddress, bridge: InterfaceName, deadline: Int64
  ) throws(NFTablesError) -> Bool {
    guard try familiesWithUserChain(deadline: deadline).contains(target.family) else { return true }
    return try userRules(target.family, deadline: deadline).contains { $0.acceptsPublished(target, bridge) }
  }
}

extension MessageBuffer {
  mutating func insertPublished(
    _ link: InterfaceName, _ target: IPAddress, before position: UInt64?, _ family: Family
  ) {
    let register = Register(0)
    let comment = Field.padded(Array(DockerUser.comment(target, link).utf8), to: Int(XT_MAX_COMMENT_LEN))
    // The destination in struct iphdr, and in struct ip6_hdr.
    let offset: UInt32 = family == .ipv4 ? 16 : 24
    append(
      [
        .payload(
          base: NFT_PAYLOAD_NETWORK_HEADER, offset: offset, length: UInt32(family.byteCount), into: register),
        .cmp(NFT_CMP_EQ, register, target.bytes),
        .meta(NFT_META_OIFNAME, into: register), .cmp(NFT_CMP_EQ, register, Array(link.description.utf8) + [0]),
        .xtMatch(name: "conntrack", revision: 3, info: Self.translated),
        .xtMatch(name: "comment", revision: 0, info: comment), .counter, .immediate(.accept),
      ],
      to: DockerUser.chain, of: DockerUser.table, family: family.protocolFamily, before: position, comment: nil)
  }

  /// `-m conntrack --ctstate DNAT`.
  private static var translated: [UInt8] {
    var info = xt_conntrack_mtinfo3()
    info.match_flags = UInt16(XT_CONNTRACK_STATE)
    // XT_CONNTRACK_STATE_DNAT, a macro with arguments of an enumeration.
    info.state_mask = 1 << (UInt16(IP_CT_NUMBER.rawValue) + 2)
    return withUnsafeBytes(of: info) { Array($0) }
  }
}
