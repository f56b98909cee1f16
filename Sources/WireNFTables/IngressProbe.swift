internal import CNftnl
internal import Glibc
package import WireCore

extension FirewallSocket {
  /// Hangs an empty chain before a link's packets are anybody else's, to learn whether this kernel has that hook.
  /// As `nft 'table netdev wirehook-try { chain try { type filter hook ingress device "LINK" priority 0; } }'`.
  package borrowing func tryIngress(on link: InterfaceName, deadline: Int64) throws(NFTablesError) {
    let (table, family) = ("wirehook-try", UInt8(NFPROTO_NETDEV))
    var buffer = MessageBuffer(capacity: 4096, firstSequence: socket.sequenceForBatch)
    buffer.beginTransaction()
    buffer.begin(NFTMessage.type(NFT_MSG_NEWTABLE), flags: UInt16(NLM_F_CREATE), family: family)
    buffer.put(Int(NFTA_TABLE_NAME.rawValue), table)
    buffer.end()
    buffer.begin(NFTMessage.type(NFT_MSG_NEWCHAIN), flags: UInt16(NLM_F_CREATE), family: family)
    buffer.put(Int(NFTA_CHAIN_TABLE.rawValue), table)
    buffer.put(Int(NFTA_CHAIN_NAME.rawValue), "try")
    buffer.put(Int(NFTA_CHAIN_TYPE.rawValue), "filter")
    buffer.nest(Int(NFTA_CHAIN_HOOK.rawValue)) { buffer in
      buffer.put(Int(NFTA_HOOK_HOOKNUM.rawValue), UInt32(NF_NETDEV_INGRESS.rawValue))
      buffer.put(Int(NFTA_HOOK_PRIORITY.rawValue), UInt32(0))
      buffer.put(Int(NFTA_HOOK_DEV.rawValue), link.description)
    }
    buffer.end()
    try commit(&buffer, for: "hooking into the ingress of a link", deadline: deadline)
  }
}
