//! `structuredClone` (HTML standard, section 2.7), with V8's own serializer.

use std::cell::RefCell;
use std::rc::Rc;

use v8::{ValueDeserializerHelper, ValueSerializerHelper};

use super::Arguments;
use crate::api::blob;
use crate::binding::{Native, Throw};

/// Blobs on their way: they never change, so that the copy shares the bytes.
type Blobs = Rc<RefCell<Vec<v8::Global<v8::Object>>>>;

/// `clone(value, transfer, refuse)`: `transfer` is a list of buffers that are not detached, each once;
/// `refuse(message)` makes the exception for what cannot be cloned.
pub(super) fn structured<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let wrong = || Throw::Type("wrong arguments".into());
    let transfer = v8::Local::<v8::Array>::try_from(arguments.get(1)).map_err(|_| wrong())?;
    let refuse = v8::Local::<v8::Function>::try_from(arguments.get(2)).map_err(|_| wrong())?;
    let mut buffers = Vec::new();
    for index in 0..transfer.length() {
        let buffer = transfer.get_index(scope, index).ok_or(Throw::Pending)?;
        buffers.push(v8::Local::<v8::ArrayBuffer>::try_from(buffer).map_err(|_| wrong())?);
    }
    let blobs = Blobs::default();
    let context = scope.get_current_context();
    let bytes = {
        let refuse = v8::Global::new(scope, refuse);
        let out = v8::ValueSerializer::new(scope, Box::new(Out { refuse, blobs: Rc::clone(&blobs) }));
        out.write_header();
        for (id, buffer) in (0..).zip(&buffers) {
            out.transfer_array_buffer(id, *buffer);
        }
        if out.write_value(context, arguments.get(0)) != Some(true) {
            return Err(Throw::Pending);
        }
        out.release()
    };
    let back = v8::ValueDeserializer::new(scope, Box::new(Back { blobs }), &bytes);
    for (id, buffer) in (0..).zip(&buffers) {
        let store = buffer.get_backing_store();
        buffer.detach(None).ok_or(Throw::Pending)?;
        let moved = v8::ArrayBuffer::with_backing_store(scope, &store);
        back.transfer_array_buffer(id, moved);
    }
    if back.read_header(context) != Some(true) {
        return Err(Throw::Pending);
    }
    back.read_value(context).ok_or(Throw::Pending)
}

struct Out {
    refuse: v8::Global<v8::Function>,
    blobs: Blobs,
}

impl v8::ValueSerializerImpl for Out {
    fn throw_data_clone_error<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        message: v8::Local<'s, v8::String>,
    ) {
        let refuse = v8::Local::new(scope, &self.refuse);
        let this = v8::undefined(scope).into();
        if let Some(exception) = refuse.call(scope, this, &[message.into()]) {
            scope.throw_exception(exception);
        }
    }

    fn write_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        object: v8::Local<'s, v8::Object>,
        serializer: &dyn ValueSerializerHelper,
    ) -> Option<bool> {
        if blob::contents(scope, object.into()).is_none() {
            let name = object.get_constructor_name().to_rust_string_lossy(scope);
            let message = crate::binding::string(scope, &format!("#<{name}> could not be cloned."));
            self.throw_data_clone_error(scope, message);
            return None;
        }
        let mut blobs = self.blobs.borrow_mut();
        serializer.write_uint32(blobs.len() as u32);
        blobs.push(v8::Global::new(scope, object));
        Some(true)
    }
}

struct Back {
    blobs: Blobs,
}

impl v8::ValueDeserializerImpl for Back {
    fn read_host_object<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        deserializer: &dyn ValueDeserializerHelper,
    ) -> Option<v8::Local<'s, v8::Object>> {
        let mut index = 0;
        if !deserializer.read_uint32(&mut index) {
            return None;
        }
        let original = self.blobs.borrow().get(index as usize).cloned()?;
        let original = v8::Local::new(scope, original);
        blob::copy(scope, original).ok()
    }
}
