// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a symbol table and codes; and any strings, with the table trained on them, come back.
#include "pilum/encoding/fsst.h"

#include <arrow/array/builder_binary.h>

#include "pilum/encoding/fsst_encoder.h"
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

std::span<const uint8_t> Span(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

FsstEncoder Train(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  arrow::BinaryBuilder builder;
  for (const std::string& text : texts) Require(builder.Append(text), "append");
  const auto array = builder.Finish().ValueOrDie();
  return FsstEncoder::Train(LeafValues::Of(*array->data(), arrow::default_memory_pool()).ValueOrDie());
}

void FuzzFsst(const fuzz::Fsst& input) {
  if (const auto decoder = FsstDecoder::Parse(ExactBytes(input.table())); decoder.ok()) {
    for (const std::string& codes : input.codes()) {
      arrow::BufferBuilder out;
      (void)decoder->Decode(ExactBytes(codes), &out);
    }
  }
  const FsstEncoder encoder = Train(input.texts());
  const auto decoder = FsstDecoder::Parse(ExactBytes(encoder.Table()));
  Require(decoder.status(), "a trained table parses");
  for (const std::string& text : input.texts()) {
    std::string codes;
    encoder.Append(Span(text), &codes);
    arrow::BufferBuilder out;
    Require(decoder->Decode(ExactBytes(codes), &out), "codes decode");
    Require(std::string_view(reinterpret_cast<const char*>(out.data()), static_cast<size_t>(out.length())) ==
                text,
            "text comes back");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  fuzz::Fsst input;
  for (int i = 0; i < 60; ++i) {
    input.add_texts("flight " + std::to_string(i * 7 % 10) + " to New York, delayed by " + std::to_string(i));
  }
  const FsstEncoder encoder = Train(input.texts());
  input.set_table(encoder.Table());
  for (int i = 0; i < 5; ++i) encoder.Append(Span(input.texts(i)), input.add_codes());
  return {input.SerializeAsString()};
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::Fsst, pilum::FuzzFsst)
