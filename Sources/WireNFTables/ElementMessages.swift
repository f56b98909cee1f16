internal import CNftnl
internal import Glibc

extension MessageBuffer {
  /// No element of ours needs more: two keys of 40 bytes (`allow6`), flags, and the attributes' headers.
  static let elementRoom = 160
  /// An attribute's length has 16 bits, so a long list of elements goes into several messages.
  private static let elementsPerMessage = 0x8000 / elementRoom

  /// A buffer for a transaction that names each of `count` elements `times` times.
  static func capacity(elements count: Int, times: Int) -> Int {
    let messages = SetName.allCases.count + count / elementsPerMessage
    return 1024 + times * (min(count, messages) * 256 + count * elementRoom)
  }

  /// As `nft add element` (NFT_MSG_NEWSETELEM) or `nft delete element` (NFT_MSG_DELSETELEM), one message a set.
  mutating func change(_ message: nf_tables_msg_types, _ elements: [Element]) {
    let flags = message == NFT_MSG_NEWSETELEM ? UInt16(NLM_F_CREATE) : 0
    let sets = SetName.allCases.filter { set in elements.contains { $0.set == set } }
    for set in sets {
      var rest = (sets.count == 1 ? elements : elements.filter { $0.set == set })[...]
      while !rest.isEmpty {
        let part = rest.prefix(Self.elementsPerMessage)
        rest = rest.dropFirst(part.count)
        begin(NFTMessage.type(message), flags: flags, family: set.table.family)
        put(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), FirewallTable.name)
        put(Int(NFTA_SET_ELEM_LIST_SET.rawValue), set.rawValue)
        nest(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) { for element in part { $0.put(element) } }
        end()
      }
    }
  }

  /// As `nft get element`: one question, answered by the element or by ENOENT.
  mutating func ask(for element: Element) {
    begin(NFTMessage.type(NFT_MSG_GETSETELEM), flags: 0, family: element.set.table.family)
    put(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), FirewallTable.name)
    put(Int(NFTA_SET_ELEM_LIST_SET.rawValue), element.set.rawValue)
    nest(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) {
      $0.nest(Int(NFTA_LIST_ELEM.rawValue)) { $0.putValue(Int(NFTA_SET_ELEM_KEY.rawValue), element.key) }
    }
    end()
  }

  private mutating func put(_ element: Element) {
    let definition = element.set.definition
    nest(Int(NFTA_LIST_ELEM.rawValue)) {
      $0.putValue(Int(NFTA_SET_ELEM_KEY.rawValue), element.key)
      if definition.hasKeyEnds, let end = element.keyEnd { $0.putValue(Int(NFTA_SET_ELEM_KEY_END.rawValue), end) }
      if let data = element.data { $0.putValue(Int(NFTA_SET_ELEM_DATA.rawValue), data) }
    }
    guard definition.isInterval, !definition.hasKeyEnds, let end = element.keyEnd?.successor else { return }
    // An interval of a single field is two elements: where it begins, and the first value behind it.
    nest(Int(NFTA_LIST_ELEM.rawValue)) {
      $0.put(Int(NFTA_SET_ELEM_FLAGS.rawValue), NFT_SET_ELEM_INTERVAL_END.rawValue)
      $0.putValue(Int(NFTA_SET_ELEM_KEY.rawValue), end)
    }
  }
}

extension [UInt8] {
  /// The number after this one, big-endian; nil after the last: an interval up to it has no end element.
  var successor: [UInt8]? {
    var next = self
    for index in next.indices.reversed() {
      next[index] &+= 1
      if next[index] != 0 { return next }
    }
    return nil
  }

  /// The number before this one, big-endian; nil before 0.
  var predecessor: [UInt8]? {
    var previous = self
    for index in previous.indices.reversed() {
      previous[index] &-= 1
      if previous[index] != 0xff { return previous }
    }
    return nil
  }
}
