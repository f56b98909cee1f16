import WireJSON
import WirePlan

/// Writes a value as it is recorded and reads it again.
enum Recorded {
  static func roundTrip(_ attachment: WirePlan.Attachment) throws -> WirePlan.Attachment {
    let text = JSONWriter.compact(attachment.json)
    let value = try JSONValue.parse(Array(text.utf8), limits: .configuration, duplicates: .refuse)
    return try WirePlan.Attachment(JSONReader(value, document: "record"))
  }
}
