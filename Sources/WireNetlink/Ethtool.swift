internal import CMnl
internal import Glibc
package import WireCore
package import WireLinux

extension NetlinkSocket {
  /// Lets a link compute the checksums of what it sends, instead of leaving them to hardware: what a userspace switch takes
  /// off a veth by a packet socket has seen no hardware. Wants a socket of the bus `generic`; a kernel before 5.6 has no
  /// such family, and is asked by SIOCETHTOOL. As `ethtool -K LINK tx off`.
  package func turnOffTXChecksumOffload(_ name: InterfaceName, until deadline: Deadline) throws(NetlinkError) {
    if let family = try family(ETHTOOL_GENL_NAME, until: deadline) {
      var batch = Batch(title: "ETHTOOL_MSG_FEATURES_SET \(name)")
      batch.turnOffTXChecksumOffload(name, family: family)
      return try send(batch, until: deadline)
    }
    do throws(SystemError) { try turnOffTXChecksumOffload(name) } catch { throw .system(error) }
  }
}

extension Batch {
  /// The features that ethtool(8) calls `tx`. The kernel passes over those that a link has not or cannot change, and
  /// switches off by itself what needs them: segmentation offload.
  private static let txChecksums = [
    "tx-checksum-ipv4", "tx-checksum-ip-generic", "tx-checksum-ipv6", "tx-checksum-fcoe-crc", "tx-checksum-sctp",
  ]

  mutating func turnOffTXChecksumOffload(_ name: InterfaceName, family: Int) {
    let header = genlmsghdr(
      cmd: UInt8(ETHTOOL_MSG_FEATURES_SET), version: UInt8(ETHTOOL_GENL_VERSION), reserved: 0)
    append(family, header) { message in
      message.nest(ETHTOOL_A_FEATURES_HEADER) { message in
        message.put(ETHTOOL_A_HEADER_DEV_NAME, name.description)
        message.put(ETHTOOL_A_HEADER_FLAGS, UInt32(ETHTOOL_FLAG_OMIT_REPLY))
      }
      message.nest(ETHTOOL_A_FEATURES_WANTED) { message in
        message.nest(ETHTOOL_A_BITSET_BITS) { message in
          // A bit that is named without ETHTOOL_A_BITSET_BIT_VALUE is to be off.
          for feature in Self.txChecksums {
            message.nest(ETHTOOL_A_BITSET_BITS_BIT) { $0.put(ETHTOOL_A_BITSET_BIT_NAME, feature) }
          }
        }
      }
    }
  }
}
