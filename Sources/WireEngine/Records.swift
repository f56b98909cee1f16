package import WireCore
import WireJSON
import WireNFTables
package import WirePlan
package import WireState

/// Reads the documents of the recorded state: the attachments, and the networks that stand.
package enum Records {
  /// The attachment of a container's record.
  package static func attachment(_ record: ContainerRecord) throws(WireError) -> Attachment {
    try Attachment(JSONReader(parse(record.document), document: "the record of container \(record.id.quoted)"))
  }

  /// Every container's.
  static func attachments(on host: borrowing Host) throws(WireError) -> [Attachment] {
    var attachments: [Attachment] = []
    for record in try host.read({ () throws(StateError) in try host.store.containers() }) where !record.document.isEmpty
    {
      attachments.append(try attachment(record))
    }
    return attachments
  }

  /// The text in which an attachment is recorded.
  package static func document(_ attachment: Attachment) -> String { JSONWriter.compact(attachment.json) }

  /// The network of a marker.
  package static func network(_ marker: NetworkMarker) throws(WireError) -> NetworkSetup {
    try NetworkSetup(JSONReader(parse(marker.fingerprint), document: "the record of network \(marker.name)"))
  }

  /// All that the records want in the firewall: the networks that stand, and the containers on them.
  static func firewall(on host: borrowing Host) throws(WireError) -> FirewallPart {
    let markers = try host.read { () throws(StateError) in try host.store.markers() }
    let containers = try host.read { () throws(StateError) in try host.store.containers() }
    var parts = FirewallPart()
    for marker in markers where marker.bridgeIndex != 0 { parts.append(FirewallPart(try network(marker))) }
    for record in containers where record.status == .attached {
      parts.append(FirewallPart(Step.all(of: try attachment(record))))
    }
    return parts
  }

  private static func parse(_ text: String) throws(WireError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue.parse(Array(text.utf8), limits: .record, duplicates: .refuse)
    } catch {
      throw error.wireError(in: "the recorded state")
    }
  }
}
