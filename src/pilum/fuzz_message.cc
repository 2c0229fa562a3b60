// SPDX-License-Identifier: Apache-2.0
#include "pilum/fuzz_message.h"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <cstring>
#include <random>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace pilum {

namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

/// Works on the wire format, where a message needs no schema: strings that parse as messages are taken for
/// some.
class MessageMutator {
 public:
  MessageMutator(unsigned seed, size_t room) : random_(seed), room_(room) {}

  void Mutate(UnknownFieldSet* message, int depth) {
    if (message->field_count() == 0 || OneIn(24)) return Add(message);
    const int i = static_cast<int>(random_() % static_cast<unsigned>(message->field_count()));
    if (OneIn(10)) return Restructure(message, i);
    UnknownField* field = message->mutable_field(i);
    switch (field->type()) {
      case UnknownField::TYPE_VARINT:
        return field->set_varint(Number(field->varint()));
      case UnknownField::TYPE_FIXED32:
        return field->set_fixed32(static_cast<uint32_t>(Number(field->fixed32())));
      case UnknownField::TYPE_FIXED64:
        return field->set_fixed64(Number(field->fixed64()));
      case UnknownField::TYPE_LENGTH_DELIMITED:
        return MutateString(field->mutable_length_delimited(), depth);
      case UnknownField::TYPE_GROUP:
        return;
    }
  }

 private:
  static constexpr int kMaxDepth = 24;
  static constexpr int kMaxFieldNumber = 16;  // no message of the format has more but the manifest

  bool OneIn(unsigned n) { return random_() % n == 0; }

  uint64_t Number(uint64_t old) {
    switch (random_() % 6) {
      case 0:
        return old + 1;
      case 1:
        return old - 1;
      case 2:
        return old ^ (uint64_t{1} << random_() % 64);
      case 3:
        return random_() % 256;
      case 4:
        return uint64_t{1} << random_() % 64;
      default:
        return ~uint64_t{0} >> random_() % 64;
    }
  }

  void MutateString(std::string* bytes, int depth) {
    UnknownFieldSet inner;
    if (depth < kMaxDepth && !bytes->empty() && !OneIn(4) && inner.ParseFromString(*bytes)) {
      Mutate(&inner, depth + 1);
      bytes->clear();
      inner.SerializeToString(bytes);
      return;
    }
    const size_t size = bytes->size();
    const size_t limit = size + std::min<size_t>(room_, 64 + size);
    bytes->resize(limit);
    bytes->resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes->data()), size, limit));
  }

  void Add(UnknownFieldSet* message) {
    const int number = 1 + static_cast<int>(random_() % kMaxFieldNumber);
    if (OneIn(2)) return message->AddVarint(number, Number(0));
    message->AddLengthDelimited(number);
  }

  /// Field `i` is dropped, doubled, gets another number or changes places with the one in front.
  void Restructure(UnknownFieldSet* message, int i) {
    const UnknownField field = message->field(i);
    switch (random_() % 4) {
      case 0:
        return message->DeleteSubrange(i, 1);
      case 1:
        return message->AddField(field);
      case 2: {
        const int number = 1 + static_cast<int>(random_() % kMaxFieldNumber);
        if (field.type() == UnknownField::TYPE_VARINT) message->AddVarint(number, field.varint());
        if (field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
          message->AddLengthDelimited(number, field.length_delimited());
        }
        return message->DeleteSubrange(i, 1);
      }
      default:
        if (i > 0) std::swap(*message->mutable_field(i), *message->mutable_field(i - 1));
    }
  }

  std::minstd_rand random_;
  const size_t room_;
};

}  // namespace

size_t MutateMessage(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  UnknownFieldSet message;
  if (!message.ParseFromArray(data, static_cast<int>(size))) return LLVMFuzzerMutate(data, size, max_size);
  MessageMutator mutator(seed, max_size > size ? max_size - size : 0);
  for (unsigned n = 1 + seed % 3; n > 0; --n) mutator.Mutate(&message, 0);
  std::string bytes;
  message.SerializeToString(&bytes);
  if (bytes.size() > max_size) return size;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace pilum
