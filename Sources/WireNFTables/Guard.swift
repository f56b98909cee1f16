internal import CLinux
internal import CNftnl
internal import Glibc
package import WireCore

/// A guard keeps the host's own IP stack from hearing what comes in by a link: `chain ingress-LINK { type filter hook
/// ingress device "LINK" priority filter; policy drop; }`. A userspace switch reads the link by a packet socket, which
/// gets each frame before this hook; without a guard the host answers the same frames past the switch and its VLANs.
///
/// Since Linux 6.16 such a chain outlives its link, and holds for the next one of that name; before, it goes with the
/// link, and cannot be made without it. Before 5.10 there is no ingress hook of this family (`.unsupported`).
enum Guard {
  private static let prefix = "ingress-"

  static func chain(for link: InterfaceName) -> String { prefix + link.description }

  /// The link whose frames a listed chain drops; nil for a chain that is no guard, or does not do what one does.
  static func link(of chain: Attributes) -> InterfaceName? {
    guard let name = chain[Int(NFTA_CHAIN_NAME.rawValue)]?.text, name.hasPrefix(prefix),
      let hook = chain[Int(NFTA_CHAIN_HOOK.rawValue)],
      hook[Int(NFTA_HOOK_HOOKNUM.rawValue)]?.number == NF_INET_INGRESS.rawValue,
      chain[Int(NFTA_CHAIN_POLICY.rawValue)]?.number == UInt32(NF_DROP),
      let device = hook[Int(NFTA_HOOK_DEV.rawValue)]?.text, name == prefix + device
    else { return nil }
    return InterfaceName(device)
  }
}

extension FirewallSocket {
  /// The links that are guarded, or were until they went; none without the table.
  package borrowing func guards(deadline: Int64) throws(NFTablesError) -> [InterfaceName] {
    try parts(NFT_MSG_GETCHAIN, of: .inet, table: Int(NFTA_CHAIN_TABLE.rawValue), deadline: deadline) {
      Guard.link(of: $0)
    }
  }

  /// Whether the link is there, so that every kernel can guard it.
  borrowing func canGuard(_ link: InterfaceName) -> Bool { clinux_link_index(descriptor, link.description) > 0 }
}

extension MessageBuffer {
  /// The room for the messages that add or remove one guard.
  static let guardRoom = 512

  /// As `nft add chain inet wirehook ingress-LINK { … }`. One that is there already is fine.
  mutating func addGuard(_ link: InterfaceName) {
    beginChain(NFT_MSG_NEWCHAIN, for: link)
    nest(Int(NFTA_CHAIN_HOOK.rawValue)) {
      $0.put(Int(NFTA_HOOK_HOOKNUM.rawValue), NF_INET_INGRESS.rawValue)
      $0.put(Int(NFTA_HOOK_PRIORITY.rawValue), UInt32(bitPattern: NF_IP_PRI_FILTER.rawValue))
      $0.put(Int(NFTA_HOOK_DEV.rawValue), link.description)
    }
    put(Int(NFTA_CHAIN_POLICY.rawValue), UInt32(NF_DROP))
    put(Int(NFTA_CHAIN_TYPE.rawValue), "filter")
    end()
  }

  /// As `nft destroy chain inet wirehook ingress-LINK`, which kernels before 6.3 do not have. The first message makes a
  /// chain without a hook, so that there is one to delete, and changes nothing about one that is there; it needs no link.
  mutating func removeGuard(_ link: InterfaceName) {
    beginChain(NFT_MSG_NEWCHAIN, for: link)
    end()
    beginChain(NFT_MSG_DELCHAIN, for: link)
    end()
  }

  private mutating func beginChain(_ message: nf_tables_msg_types, for link: InterfaceName) {
    let flags = message == NFT_MSG_NEWCHAIN ? UInt16(NLM_F_CREATE) : 0
    begin(NFTMessage.type(message), flags: flags, family: FirewallTable.inet.family)
    put(Int(NFTA_CHAIN_TABLE.rawValue), FirewallTable.name)
    put(Int(NFTA_CHAIN_NAME.rawValue), Guard.chain(for: link))
  }
}
