package import WireCore

/// One thing that a flow asks of a packet: a type, a length, a value and perhaps a mask (OpenFlow 1.4, 7.2.3).
package struct FlowField: Sendable, Hashable {
  let bytes: [UInt8]

  /// Those of the standard, by their numbers; the kinds of packets that a field is in have to be asked for as well.
  private enum Number: UInt8 {
    case inPort = 0
    case etherSource = 4
    case etherType = 5
    case ipProtocol = 10
    case ipv4Source = 11
    case ipv4Destination = 12
    case arpSource = 22
    case arpEtherSource = 24
    case ipv6Source = 26
    case ipv6Destination = 27
    case icmpv6Type = 29
    case icmpv6Code = 30
    case advertisedTarget = 31
  }

  /// `OFPXMC_OPENFLOW_BASIC`, and `OFPXMC_NXM_1` of Open vSwitch.
  private static let (standard, nicira): (UInt16, UInt16) = (0x8000, 0x0001)

  private init(class: UInt16 = standard, _ number: UInt8, _ value: [UInt8], mask: [UInt8]? = nil) {
    var bytes: [UInt8] = []
    bytes.append(number: `class`)
    bytes.append(number << 1 | (mask == nil ? 0 : 1))
    bytes.append(UInt8(truncatingIfNeeded: value.count + (mask?.count ?? 0)))
    self.bytes = bytes + value + (mask ?? [])
  }

  private init(_ number: Number, _ value: [UInt8], mask: [UInt8]? = nil) {
    self.init(number.rawValue, value, mask: mask)
  }

  fileprivate init(read bytes: [UInt8]) { self.bytes = bytes }

  package static func inPort(_ port: UInt16) -> FlowField {
    FlowField(.inPort, [0, 0, UInt8(port >> 8), UInt8(truncatingIfNeeded: port)])
  }
  package static func etherSource(_ mac: MACAddress) -> FlowField { FlowField(.etherSource, mac.bytes) }
  /// What is in the frame, behind an 802.1Q tag.
  package static func etherType(_ type: UInt16) -> FlowField {
    FlowField(.etherType, [UInt8(type >> 8), UInt8(truncatingIfNeeded: type)])
  }
  package static func arpEtherSource(_ mac: MACAddress) -> FlowField { FlowField(.arpEtherSource, mac.bytes) }
  package static func arpSource(_ address: IPAddress) -> FlowField { FlowField(.arpSource, address.bytes) }
  package static func source(_ address: IPAddress) -> FlowField {
    FlowField(address.family == .ipv4 ? .ipv4Source : .ipv6Source, address.bytes)
  }
  package static func destination(in prefix: Prefix) -> FlowField {
    let isIPv4 = prefix.address.family == .ipv4
    let mask = (0..<(isIPv4 ? 4 : 16)).map { index in
      UInt8(truncatingIfNeeded: 0xff00 >> max(0, min(8, prefix.length - 8 * index)))
    }
    return FlowField(isIPv4 ? .ipv4Destination : .ipv6Destination, prefix.first.bytes, mask: mask)
  }
  package static func icmpv6Type(_ type: UInt8) -> FlowField { FlowField(.icmpv6Type, [type]) }
  package static func icmpv6Code(_ code: UInt8) -> FlowField { FlowField(.icmpv6Code, [code]) }
  package static let isICMPv6 = FlowField(.ipProtocol, [58])
  /// The address that a neighbour advertisement is about.
  package static func advertisedTarget(_ address: IPAddress) -> FlowField {
    FlowField(.advertisedTarget, address.bytes)
  }
  /// None of these notes was made of the packet.
  package static func lacks(_ notes: FlowNote...) -> FlowField {
    let mask = notes.reduce(UInt32(0)) { $0 | 1 << $1.rawValue }
    var bytes: [UInt8] = []
    bytes.append(number: mask)
    return FlowField(class: nicira, FlowNote.register, [0, 0, 0, 0], mask: bytes)
  }
}

/// What a flow remembers of a packet for the flows that see it next: a bit of a register, which is 0 at first and goes with the
/// packet. It is Open vSwitch's own, `reg15`.
package enum FlowNote: UInt8, Sendable, Hashable {
  static let register: UInt8 = 15

  /// Nothing is to be said against its sender.
  case isChecked = 31
  /// Nothing is to be said against what it advertises.
  case advertisesItself = 30
}

extension FlowField {
  /// Fields back to back; nil where one of them is cut off.
  static func list(_ bytes: ArraySlice<UInt8>) -> [FlowField]? {
    var fields: [FlowField] = []
    var reader = BytesReader(bytes)
    while reader.count > 0 {
      guard let header = reader.take(4), let length = header.last, let value = reader.take(Int(length)) else {
        return nil
      }
      fields.append(FlowField(read: Array(header) + Array(value)))
    }
    return fields
  }
}
