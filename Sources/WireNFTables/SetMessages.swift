internal import CNftnl
internal import Glibc

extension MessageBuffer {
  /// As `nft add set inet wirehook NAME { type …; }`, in the set's own table.
  mutating func add(_ name: SetName, id: UInt32) {
    let definition = name.definition
    beginSet(name.rawValue, of: name.table, flags: definition.flags, id: id)
    put(Int(NFTA_SET_KEY_TYPE.rawValue), DataType.concatenated(definition.key))
    put(Int(NFTA_SET_KEY_LEN.rawValue), UInt32(definition.keyLength))
    if definition.isMap {
      put(Int(NFTA_SET_DATA_TYPE.rawValue), DataType.concatenated(definition.data))
      put(Int(NFTA_SET_DATA_LEN.rawValue), UInt32(definition.dataLength))
    }
    if definition.hasKeyEnds {
      nest(Int(NFTA_SET_DESC.rawValue)) {
        $0.nest(Int(NFTA_SET_DESC_CONCAT.rawValue)) {
          for field in definition.key {
            $0.nest(Int(NFTA_LIST_ELEM.rawValue)) { $0.put(Int(NFTA_SET_FIELD_LEN.rawValue), UInt32(field.length)) }
          }
        }
      }
    }
    put(Int(NFTA_SET_USERDATA.rawValue), definition.userData)
    end()
  }

  /// A set of one rule of the table, with its members.
  mutating func add(_ set: AnonymousSet, of table: FirewallTable, id: UInt32) {
    beginSet(
      AnonymousSet.name, of: table, flags: NFT_SET_ANONYMOUS.rawValue | NFT_SET_CONSTANT.rawValue, id: id)
    put(Int(NFTA_SET_KEY_TYPE.rawValue), set.type.rawValue)
    put(Int(NFTA_SET_KEY_LEN.rawValue), UInt32(set.type.length))
    nest(Int(NFTA_SET_DESC.rawValue)) { $0.put(Int(NFTA_SET_DESC_SIZE.rawValue), UInt32(set.members.count)) }
    put(
      Int(NFTA_SET_USERDATA.rawValue), UserData.number(UInt8(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue), ByteOrder.network))
    end()
    begin(NFTMessage.type(NFT_MSG_NEWSETELEM), flags: UInt16(NLM_F_CREATE), family: table.family)
    put(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), FirewallTable.name)
    put(Int(NFTA_SET_ELEM_LIST_SET.rawValue), AnonymousSet.name)
    put(Int(NFTA_SET_ELEM_LIST_SET_ID.rawValue), id)
    nest(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) {
      for member in set.members {
        $0.nest(Int(NFTA_LIST_ELEM.rawValue)) { $0.putValue(Int(NFTA_SET_ELEM_KEY.rawValue), member) }
      }
    }
    end()
  }

  private mutating func beginSet(_ name: String, of table: FirewallTable, flags: UInt32, id: UInt32) {
    begin(NFTMessage.type(NFT_MSG_NEWSET), flags: UInt16(NLM_F_CREATE), family: table.family)
    put(Int(NFTA_SET_TABLE.rawValue), FirewallTable.name)
    put(Int(NFTA_SET_NAME.rawValue), name)
    put(Int(NFTA_SET_FLAGS.rawValue), flags)
    put(Int(NFTA_SET_ID.rawValue), id)
  }

  /// A value in its nest (`struct nft_data`).
  mutating func putValue(_ type: Int, _ value: [UInt8]) {
    nest(type) { $0.put(Int(NFTA_DATA_VALUE.rawValue), value) }
  }
}

/// nft's `enum byteorder`: which way it reads the bytes of a key. A concatenation has none.
private enum ByteOrder {
  static let none: UInt32 = 0
  static let host: UInt32 = 1
  static let network: UInt32 = 2

  static func of(_ fields: [DataType]) -> UInt32 {
    guard fields.count == 1 else { return none }
    return fields[0] == .interfaceName ? host : network
  }
}

private extension DataType {
  /// Six bits a field, the first one highest (nft's TYPE_BITS).
  static func concatenated(_ fields: [DataType]) -> UInt32 { fields.reduce(0) { $0 << 6 | $1.rawValue } }
}

private extension SetDefinition {
  var flags: UInt32 {
    (isMap ? NFT_SET_MAP.rawValue : 0) | (isInterval ? NFT_SET_INTERVAL.rawValue : 0)
      | (hasKeyEnds ? NFT_SET_CONCAT.rawValue : 0)
  }

  /// What nft needs to print the set as it was written.
  var userData: [UInt8] {
    UserData.number(UInt8(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue), ByteOrder.of(key))
      + (isMap ? UserData.number(UInt8(NFTNL_UDATA_SET_DATABYTEORDER.rawValue), ByteOrder.of(data)) : [])
      + (keyTypeOf ?? []) + UserData.text(UInt8(NFTNL_UDATA_SET_COMMENT.rawValue), comment)
  }
}
