import Glibc
import Testing
import WireCore
import WireLinux

@testable import WireNetlink

@Suite struct EthtoolTests {
  @Test func theRequestNamesEachFeature() throws {
    var batch = Batch(title: "features")
    batch.turnOffTXChecksumOffload(try name("eth0"), family: 21)
    let text = try MessageText.of(batch, ethtoolFamily: 21)
    #expect(
      text == """
        ethtool  command 12  version 1
          ETHTOOL_A_FEATURES_HEADER  nest
            ETHTOOL_A_HEADER_DEV_NAME  5  "eth0"
            ETHTOOL_A_HEADER_FLAGS  4  2
          ETHTOOL_A_FEATURES_WANTED  nest
            ETHTOOL_A_BITSET_BITS  nest
              ETHTOOL_A_BITSET_BITS_BIT  nest
                ETHTOOL_A_BITSET_BIT_NAME  17  "tx-checksum-ipv4"
              ETHTOOL_A_BITSET_BITS_BIT  nest
                ETHTOOL_A_BITSET_BIT_NAME  23  "tx-checksum-ip-generic"
              ETHTOOL_A_BITSET_BITS_BIT  nest
                ETHTOOL_A_BITSET_BIT_NAME  17  "tx-checksum-ipv6"
              ETHTOOL_A_BITSET_BITS_BIT  nest
                ETHTOOL_A_BITSET_BIT_NAME  21  "tx-checksum-fcoe-crc"
              ETHTOOL_A_BITSET_BITS_BIT  nest
                ETHTOOL_A_BITSET_BIT_NAME  17  "tx-checksum-sctp"

        """)
  }

  private static let canAskEthtool = Machine.hasRoot && Machine.has("ethtool")

  @Test(.enabled(if: canAskEthtool, "needs root and ethtool"), arguments: [true, false])
  func checksumsAreComputedByTheLink(_ byMessage: Bool) throws {
    try NetworkNamespace.withFresh {
      try shell("ip link add eth0 type veth peer name other")
      let (link, other) = (try name("eth0"), try name("other"))
      let socket = try NetlinkSocket(byMessage ? .generic : .route)
      #expect(socket.offloadsTXChecksums(link) == true)
      // Twice: what is so already is fine.
      for _ in 1...2 {
        if byMessage {
          try socket.turnOffTXChecksumOffload(link, until: .soon)
        } else {
          try socket.turnOffTXChecksumOffload(link)
        }
      }
      #expect(socket.offloadsTXChecksums(link) == false)
      #expect(socket.offloadsTXChecksums(other) == true)
      let features = try shell("ethtool -k eth0")
      for feature in ["tx-checksumming", "\ttx-checksum-ip-generic", "\ttx-checksum-sctp"] {
        #expect(features.contains("\(feature): off\n"), "\(features)")
      }
      #expect(try shell("ethtool -k other").contains("tx-checksumming: on"))
    }
  }

  @Test(.enabled(if: Machine.hasRoot, "needs root")) func aLinkThatIsNotThereIsNamed() throws {
    try NetworkNamespace.withFresh {
      let nobody = try name("nobody")
      let socket = try NetlinkSocket(.generic)
      #expect(socket.offloadsTXChecksums(nobody) == nil)
      #expect(throws: SystemError("SIOCETHTOOL", ENODEV, path: "nobody")) {
        try socket.turnOffTXChecksumOffload(nobody)
      }
      let error = #expect(throws: NetlinkError.self) {
        try socket.turnOffTXChecksumOffload(nobody, until: .soon)
      }
      #expect(error?.errno == ENODEV)
      #expect(error?.description.hasPrefix("ETHTOOL_MSG_FEATURES_SET nobody: ") == true)
    }
  }
}
